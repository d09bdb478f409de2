/* What the scripts of the map page hand each other; read by the type checker alone. */

type Bounds = [number, number];
type At = [number, number];

/** One figure of the panel: name, value, date, sources, confidence, other values. */
type Told = [string, string, string, string, string, string];

/** One cell of a comparison: text, date, documents, confidence, other values, number or bounds. */
type Cell = [string, string?, number[]?, string?, string?, (number | Bounds | null)?];

interface Feature {
  id: string;
  table: string;
  kind: string;
  name: string;
  says: string;
  stage: string;
  sign: string;
  where: string;
  facts: Told[];
  at: At;
  lines?: At[][];
  rings?: At[][][];
  radius?: number;
  width?: number;
  marker: L.Marker;
  group: L.FeatureGroup;
  layer: L.LayerGroup;
  symbol: SVGElement;
  label: string;
  dim: boolean;
  out: boolean;
  tone: string;
  members: Feature[];
  under: boolean;
}

/** How a record is drawn: the sign in its shape, the words for it, faded or not, its colour's class. */
interface Look { sign: string; says: string; dim?: boolean; tone?: string }

interface Area { name: string; at: At; rings?: At[][][] }
interface Water { name?: string; at: At; lines: At[][] }

interface LayersFile {
  words: Record<string, string>;
  layers: Record<string, any[]>;
  aside: At | null;
  big?: Big;
}

/** What the map needs of tiled layers: their kinds, files and words. Paths begin at the root. */
interface Big {
  kinds: string[];
  counts: number[];
  unplaced: number;
  widths: Record<string, number>;
  routes: string[];
  stages: string[];
  signs: string[];
  titles: Record<string, string>;
  words: Record<string, string>;
  /** The map's zoom from which tiles are drawn. */
  from: number;
  /** Of each its zoom, its file, and the units along a tile's side. */
  archives: [number, string, number][];
  /** Communes and waterways, an archive for each of those; none where they are few. */
  ground: string[];
  /** By zoom of the map: numbers in a row, or the script that has them. */
  grids: Record<string, number[] | string>;
  shard: number;
  details: string;
  ids: string;
  buckets: number;
  reader: string;
}

/** A feature of a tile; `rings` are corners x, y, x, y … in the tile's units. */
interface TileFeature {
  n: number;
  look: number;
  r: number;
  name: string;
  type: number;
  rings: number[][];
  box: [number, number, number, number];
}

/** A column of tiled records, as `atlas.columns` writes it. */
interface TiledColumn {
  file: string;
  bytes: number;
  /** The keys of each number of a facet, or the file that has them. */
  sets?: string[][] | string;
  marks?: string[];
  decimals?: number;
  most?: number;
  known?: number;
  sum?: [number, number];
  firsts?: string[];
  /** Of money: its kind and unit, and how many records have none of any kind. */
  kind?: string;
  unit?: string;
  without?: number;
  /** Records of small layers in which tiled ones lie, and those that lie in tiled ones. */
  outer?: string[];
  held?: Record<string, number>;
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

interface Shape { lines?: At[][]; rings?: At[][][] }

/** What a download tells beside the columns of every row: distances asked for, a year's mark. */
interface Asked { away?: Bounds; point?: Bounds; mark: string }

interface Row extends Asked { cells: (string | number | null)[]; shape: Shape | null }

/** Which tiled records are left; of each, how many filters take it out, and which one. */
interface TiledResult {
  filters: string[];
  fails: Uint8Array | null;
  which: Uint8Array | null;
  shown: number;
  places: number;
  all: number;
  lost: Record<string, [number, number]>;
  hectares: number;
  withArea: number;
  inside: number;
}

interface TiledColumns {
  held: Record<string, Numbers>;
  need(names: string[]): Promise<Record<string, Numbers>>;
  put(name: string, numbers: Numbers, told: TiledColumn): void;
  each(work: (from: number, to: number) => void): Promise<void>;
  about(name: string): TiledColumn | undefined;
  top(name: string): number;
  step(name: string): number;
  keysOf(name: string): string[][];
  isNarrowed(): boolean;
  covers(id: string): boolean;
  mark(n: number): string;
  judge(state: State): Promise<boolean>;
  keys(name: string): Promise<Record<string, number>>;
  bins(name: string, most: number, many: number): Promise<{ counts: number[]; none: number }>;
  cells(zoom: number, on: number): Promise<[number, number, number[]][] | null>;
  isOut(n: number): boolean;
  look(n: number): Partial<TiledLook> | null;
  marks(year: number): Record<string, number>;
  sums(): { shown: number; places: number; all: number; inside: number; hectares: number; withArea: number };
  lost(name: string): [number, number];
  most(name: string): number;
  knows(name: string): boolean;
}

interface TiledLook { place: number; kind: string; stage: string; sign: string; name: string; dim: boolean }

/** Where a tile lies on the map's layer, in pixels. */
interface Spot { place: number; zoom: number; x: number; y: number; size: number; extent: number; left: number; top: number; key: string }

/** Where a feature's sign stands, and how many it hides. */
interface Head { n: number; look: TiledLook; area: number; r: number; x: number; y: number; more: number }

/** The details of some hundred records, column by column. */
interface Shard {
  id: string[];
  name: string[];
  table: string[];
  kind: string[];
  sign: string[];
  stage: string[];
  says: string[];
  where: string[];
  at: (At | null)[];
  schedule: string[];
  against: string[];
  promise: string[][];
  facts: Told[][];
  money: Told[][];
  area: (number | null)[];
  complete: number[];
}

interface Found {
  name: string;
  table: string;
  kind: string;
  says: string;
  inside: string;
  is: Record<string, string[]>;
  numbers: Record<string, number>;
  near: Record<string, Bounds>;
  to: Record<string, Bounds>;
  years: string;
  money: [string, string, string, string][];
  cells: Record<string, Cell>;
  carry: (string | number | null)[];
  /** How far from the typed point; set by the browser. */
  point?: Bounds;
}

interface FindFile {
  name: string;
  edition: string;
  as_of: string;
  as_of_text: string;
  lang: string;
  first_year: number;
  words: Record<string, string>;
  choices: Record<string, [string, string][]>;
  routes: [string, string][];
  rows: [string, string, string][];
  documents: string[];
  carried: string[];
  grid: { centre: [number, number]; limit: [number, number, number, number]; latitude: number[]; longitude: number[] };
  search: [string, string, string, string][];
  records: Record<string, Found>;
  tiled?: Record<string, TiledColumn>;
  /** Tiled records that are listed or compared. */
  others?: Record<string, Found>;
}

/** What a record takes to paper beside its cells: the other language, coordinates, its shape. */
interface Paper {
  name: string;
  accuracy: [string, string];
  spots: [string, string, string][];
  own: string[];
  how: string;
  line: string;
  at: [number, number] | null;
  reach: number;
  cells: Record<string, string>;
}

interface PaperFile {
  address: string;
  other: string;
  as_of: [string, string];
  words: Record<string, [string, string]>;
  rows: Record<string, string>;
  ground: {
    width: number;
    height: number;
    communes: Record<string, string>;
    points: Record<string, [number, number]>;
    water: string[];
    scale: number;
    scale_text: string;
  };
  records: Record<string, Paper>;
}

/** A range that a reader asks for; `known` leaves out what is not known. */
interface Span { least: number | null; most: number | null; known: boolean }

/** Everything that a link carries. */
interface State {
  map: [number, number, number] | null;
  hide: string[];
  choose: Record<string, string[]>;
  range: Record<string, Span>;
  route: string;
  at: At | null;
  sure: boolean;
  view: boolean;
  sort: string;
  year: number | null;
  colour: string;
  id: string;
  shortlist: string[] | null;
  compare: string[];
}

/** What somebody typed as coordinates, and how it was understood; without a point, why not. */
interface Typed { at: At | null; how: string }

interface Verdict { shown: boolean; by: string[]; mark: string }

interface Result { id: string; field: string; text: string }

interface Parts { map: L.Map; control: L.Control.Layers; layers: [string, L.LayerGroup][] }

interface AtlasScripts {
  base: {
    make<K extends keyof HTMLElementTagNameMap>(tag: K, name?: string, text?: string): HTMLElementTagNameMap[K];
    svg(tag: string, told: Record<string, string | number>): SVGElement;
    use(symbol: string, name: string, box: [number, number, number, number]): SVGElement;
    button(text: string, act: () => void, name?: string): HTMLButtonElement;
    byId(id: string): HTMLElement;
    input(id: string): HTMLInputElement;
    say(key: string, values?: Record<string, string | number>): string;
    tell(text: string): void;
    number(value: number, places?: number): string;
    find(): FindFile;
    wide(): boolean;
  };
  draw: {
    records: Record<string, Feature>;
    map(id: string, options: L.MapOptions): L.Map;
    fill(layers: [string, L.LayerGroup][]): Promise<void>;
    corners(steps: number[]): At[];
    named(at: At, text: string, kind: string): L.Marker;
    light(id: string, on: boolean): void;
    hide(feature: Feature, out: boolean): void;
    look(feature: Feature, look: Look): void;
    goTo(map: L.Map, feature: Feature): void;
    stack(map: L.Map): void;
    onPick: (id: string, byKey: boolean) => void;
    onLight: (id: string, on: boolean) => void;
  };
  hash: {
    parse(text: string): State;
    format(state: State): string;
    empty(): State;
    RANGES: string[];
    FACETS: string[];
    SORTS: string[];
    isPlain(state: State): boolean;
  };
  panel: {
    open: string;
    show(id: string, focus: boolean, back?: HTMLElement | null): boolean;
    close(): void;
    refresh(): void;
  };
  page: {
    map: L.Map;
    layers: [string, L.LayerGroup][];
    state: State;
    later(): Promise<boolean>;
    load(address: string): Promise<unknown>;
    save(): void;
    address(embed?: boolean): string;
    pick(id: string, focus: boolean, back?: HTMLElement | null): boolean;
  };
  narrow: {
    judge(state: State, inView: (id: string) => boolean): Record<string, Verdict>;
    active(state: State): string[];
    spanOf(found: Found, name: string, route: string): number | Bounds | null;
    group(mark: string): string;
    of(id: string): Found | undefined;
    sums(ids: string[]): Sums;
    knocked(verdicts: Record<string, Verdict>): [string, number, number][];
    without(verdicts: Record<string, Verdict>, filter: string): string[];
  };
  facets: { build(): void; read(): void; show(verdicts: Record<string, Verdict>): void; describe(filter: string): string; drop(filter: string): void };
  list: { build(): void; show(verdicts: Record<string, Verdict>): void; order(ids: string[]): string[]; span(bounds: Bounds | undefined): string; light(id: string, on: boolean): void };
  search: { build(): void; find(text: string): Result[] };
  shortlist: { build(): void; has(id: string): boolean; toggle(id: string): void; show(): void };
  compare: { show(ids: string[], focus: boolean): void; close(): void; better(row: [string, string, string], ids: string[]): string[] };
  paper: { fill(ids: string[]): void; address(ids: string[]): string };
  point: { read(text: string): Typed | null; set(at: At | null): void; show(): void; option(typed: Typed): HTMLElement };
  carry: { csv(ids: string[], more?: Row[]): string; geojson(ids: string[], more?: Row[]): string; build(): void };
  hand: { build(): void };
  browse: { apply(): void; start(): void; shown: string[]; changed(): void; yearText(mark: string): string };
  source: {
    address(path: string): string;
    bytes(path: string): Promise<ArrayBuffer>;
    json(path: string): Promise<any>;
    ahead(path: string): void;
    archive(path: string): (zoom: number, x: number, y: number) => Promise<ArrayBuffer | null>;
  };
  mvt: { decode(buffer: ArrayBuffer): TileFeature[] };
  grid: {
    build(map: L.Map): HTMLElement;
    draw(map: L.Map, zoom: number, shown: boolean[]): Promise<number>;
    clear(): boolean;
    cells(zoom: number): Promise<[number, number, number[]][]>;
  };
  ground: {
    draw(pen: CanvasRenderingContext2D, tiles: { spot: Spot; features: TileFeature[] }[], colourOf: (name: string) => string): void;
  };
  tiles: {
    build(map: L.Map): void;
    draw(map: L.Map): Promise<number>;
    archiveAt(zoom: number): number;
    warm(view: NonNullable<State['map']>, frame: Element): void;
    clear(): void;
    repaint(): void;
    find(at: L.Point): number;
    light(n: number): void;
    has(n: number): boolean;
    inView(map: L.Map): number[];
  };
  big: {
    told: Big;
    say(key: string, values?: Record<string, string | number>): string;
    shown(): boolean[];
    isNear(): boolean;
    gridZoom(): number;
    isRoute(kind: string): boolean;
    look(n: number, code: number): TiledLook;
    opened(): number;
    update(): Promise<void>;
    open(n: number, focus: boolean, back?: HTMLElement | null, isAway?: boolean): Promise<void>;
    details(n: number): Promise<any>;
    numberOf(id: string): Promise<number | undefined>;
    stars(): void;
  };
  columns?: TiledColumns;
  spans: { measure(state: State): Promise<unknown> };
  order: {
    money(): Promise<{ money: Sums['money']; without: number }>;
    first(many: number): Promise<{ numbers: number[]; all: number }>;
    left(): Promise<number[]>;
    span(name: string, n: number): Bounds | undefined;
  };
  found: {
    search(text: string): Promise<{ n: number; id: string; name: string; kind: string }[]>;
    may(id: string): boolean;
    ready(ids: string[]): Promise<void>;
    routes(): [string, string][];
  };
  taken: { rows(withShapes: boolean): Promise<Row[] | null>; row(n: number): Promise<Record<string, any>>; shape(n: number): Promise<Shape | null> };
  map: (id: string, options: L.MapOptions) => L.Map;
  layer: (id: string) => L.LayerGroup;
  begin: (parts: Parts) => Promise<void>;
}

interface Sums {
  count: number;
  hectares: number;
  withArea: number;
  withoutArea: number;
  inside: number;
  money: [string, string, number, number][];
  withoutMoney: number;
}

declare var atlasFold: (text: string) => string;
declare var Atlas: AtlasScripts;
declare var ATLAS_LAYERS: LayersFile;
declare var pmtiles: { PMTiles: new (source: object) => { getZxy(zoom: number, x: number, y: number): Promise<{ data: ArrayBuffer } | undefined> } };
declare var ATLAS_FIND: FindFile;
declare var ATLAS_PAPER: PaperFile;

interface QRCode { addData(text: string): void; make(): void; getModuleCount(): number; isDark(y: number, x: number): boolean }
declare function qrcode(version: number, correction: string): QRCode;

interface UFuzzy {
  search(haystack: string[], needle: string, outOfOrder?: number, limit?: number):
    [number[] | null, { idx: number[] } | null, number[] | null];
}
declare var uFuzzy: new (options: Record<string, unknown>) => UFuzzy;
