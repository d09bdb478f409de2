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
    sums(ids: string[]): Sums;
    knocked(verdicts: Record<string, Verdict>): [string, number, number][];
    without(verdicts: Record<string, Verdict>, filter: string): string[];
  };
  facets: { build(): void; read(): void; show(verdicts: Record<string, Verdict>): void; describe(filter: string): string; drop(filter: string): void };
  list: { build(): void; show(verdicts: Record<string, Verdict>): void; order(ids: string[]): string[]; light(id: string, on: boolean): void };
  search: { build(): void; find(text: string): Result[] };
  shortlist: { build(): void; has(id: string): boolean; toggle(id: string): void; show(): void };
  compare: { show(ids: string[], focus: boolean): void; close(): void; better(row: [string, string, string], ids: string[]): string[] };
  paper: { fill(ids: string[]): void; address(ids: string[]): string };
  point: { read(text: string): Typed | null; set(at: At | null): void; show(): void; option(typed: Typed): HTMLElement };
  carry: { csv(ids: string[]): string; geojson(ids: string[]): string; build(): void };
  hand: { build(): void };
  browse: { apply(): void; start(): void; shown: string[]; changed(): void; yearText(mark: string): string };
  map: (id: string, options: L.MapOptions) => L.Map;
  layer: (id: string) => L.LayerGroup;
  begin: (parts: Parts) => void;
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
declare var ATLAS_FIND: FindFile;
declare var ATLAS_PAPER: PaperFile;

interface QRCode { addData(text: string): void; make(): void; getModuleCount(): number; isDark(y: number, x: number): boolean }
declare function qrcode(version: number, correction: string): QRCode;

interface UFuzzy {
  search(haystack: string[], needle: string, outOfOrder?: number, limit?: number):
    [number[] | null, { idx: number[] } | null, number[] | null];
}
declare var uFuzzy: new (options: Record<string, unknown>) => UFuzzy;
