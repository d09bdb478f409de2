/* Draws tiled layers on one canvas: outlines, lines and signs, as the small layers look. */
'use strict';
Atlas.tiles = (() => {
  const TILE = 256;
  const ON = 1; // a tile is drawn at twice its size
  const PADDING = 0.1;
  const PIN = 26;
  const DOT = 4;
  const TINY = 12; // an area smaller than this would be all outline
  const EDGE = 2; // around a sign, for its outline
  const PINS_MOST = 350; // more signs than these would be a wall: then each is a dot
  const KEPT = 80;
  const LATE_MS = 200;
  const NEAR = 8;
  const ROWS = 2 ** 20; // more than a map's layer has rows of signs

  /** @type {Map<string, Promise<TileFeature[]>>} */
  const asked = new Map();
  /** @type {Map<string, TileFeature[]>} */
  const ready = new Map();
  /** @type {((zoom: number, x: number, y: number) => Promise<ArrayBuffer | null>)[][]} */
  const readers = [];
  /** @type {any} */
  let canvas = null;
  /** @type {Head[]} */
  let heads = [];
  /** @type {Map<number, Head>} */
  let there = new Map();
  let isAsked = false;
  let late = 0;
  let lit = -1;

  /* The place in the list of archives of the one that is fine enough for a zoom of the map. */
  /** @param {number} zoom */
  function archiveAt(zoom) {
    const { archives } = Atlas.big.told;
    const wanted = Math.floor(zoom) - ON;
    return Math.max(0, archives.filter(([one]) => one <= wanted).length - 1);
  }

  /** @param {L.Map} map @param {L.Bounds} bounds @returns {Spot[]} */
  const spots = (map, bounds) => spotsAt(map.getZoom(), map.getPixelOrigin(), bounds);

  /* The tiles under bounds, which are counted from an origin in the world's pixels. */
  /** @param {number} drawn @param {L.Point} origin @param {L.Bounds} bounds @returns {Spot[]} */
  function spotsAt(drawn, origin, bounds) {
    const place = archiveAt(drawn);
    const [zoom, , extent] = Atlas.big.told.archives[place];
    const size = TILE * 2 ** (drawn - zoom);
    const [low, high] = [bounds.min, bounds.max].map((corner) => /** @type {L.Point} */ (corner).add(origin).divideBy(size).floor());
    /** @type {Spot[]} */
    const told = [];
    for (let x = low.x; x <= high.x; x += 1) {
      for (let y = low.y; y <= high.y; y += 1) {
        told.push({ place, zoom, x, y, size, extent, left: x * size - origin.x, top: y * size - origin.y, key: `${zoom}/${x}/${y}` });
      }
    }
    return told;
  }

  /** @param {Spot} spot */
  function load({ key, place, zoom, x, y }) {
    let tile = asked.get(key);
    if (!tile) {
      const { archives, ground } = Atlas.big.told;
      readers[place] ||= [archives[place][1], ...ground.slice(place, place + 1)].map(Atlas.source.archive);
      tile = Promise.all(readers[place].map((read) => read(zoom, x, y))).then(([data, under]) => [
        ...(under ? Atlas.mvt.decode(under).map((one) => ({ ...one, n: -1 })) : []),
        ...(data ? Atlas.mvt.decode(data) : [])
      ]);
      asked.set(key, tile);
      tile.then((features) => {
        ready.set(key, features);
        // most often the others are there within a moment, and all are painted together
        late ||= setTimeout(() => {
          late = 0;
          repaint();
        }, LATE_MS);
      }, () => asked.delete(key));
    } else {
      asked.delete(key);
      asked.set(key, tile); // the last one used is the last one dropped
    }
    return tile;
  }

  /* A link that leads near: its tiles are on their way before the map stands. */
  /** @param {NonNullable<State['map']>} view @param {Element} frame */
  function warm([zoom, latitude, longitude], frame) {
    const { width, height } = frame.getBoundingClientRect();
    const half = L.point(width, height).multiplyBy(0.5 + PADDING);
    const middle = L.CRS.EPSG3857.latLngToPoint(L.latLng(latitude, longitude), zoom);
    spotsAt(zoom, middle, L.bounds(half.multiplyBy(-1), half)).forEach((spot) => { load(spot).catch(() => {}); });
  }

  function forget() {
    for (const key of asked.keys()) {
      if (asked.size <= KEPT) { return; }
      asked.delete(key);
      ready.delete(key);
    }
  }

  const Canvas = L.Renderer.extend({
    options: { padding: PADDING, pane: 'tiled' },
    _initContainer() {
      /** @type {any} */ (this)._container = document.createElement('canvas');
      /** @type {any} */ (this)._container.setAttribute('aria-hidden', 'true');
    },
    _destroyContainer() { /** @type {any} */ (this)._container.remove(); },
    _updatePaths() { /* there are none */ },
    _update() {
      const self = /** @type {any} */ (this);
      if (self._map._animatingZoom && self._bounds) { return; }
      /** @type {any} */ (L.Renderer.prototype)._update.call(this);
      const { min } = self._bounds;
      const size = self._bounds.getSize();
      const ratio = devicePixelRatio || 1;
      L.DomUtil.setPosition(self._container, min);
      Object.assign(self._container, { width: ratio * size.x, height: ratio * size.y });
      Object.assign(self._container.style, { width: `${size.x}px`, height: `${size.y}px` });
      // what is drawn now is painted with the tiles that come, where they come within a frame
      if (canvas && Atlas.big.isNear()) { repaint(); } else { clear(); }
    }
  });

  /** @param {L.Map} map */
  function build(map) {
    const pane = map.createPane('tiled');
    pane.classList.add('tiled');
    const made = new Canvas();
    made.addTo(map);
    canvas = made;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      colours.clear();
      pictures.clear();
      repaint();
    });
  }

  /* Fetches what the view needs and draws it; returns how many features stand in the view. */
  /** @param {L.Map} map */
  async function draw(map) {
    if (!canvas._container.width) { canvas._update(); }
    const wanted = spots(map, canvas._bounds);
    await Promise.all(wanted.map(load));
    forget();
    paint();
    return there.size;
  }

  function clear() {
    heads = [];
    there = new Map();
    if (canvas?._container) { canvas._container.width = 0; }
  }

  function repaint() {
    if (isAsked || !canvas || !Atlas.big.isNear()) { return; }
    isAsked = true;
    requestAnimationFrame(() => {
      // what was painted meanwhile is not painted again
      if (isAsked && Atlas.big.isNear()) { paint(); }
      isAsked = false;
    });
  }

  function paint() {
    isAsked = false;
    clearTimeout(late);
    late = 0;
    if (!Atlas.big.isNear()) { clear(); return; }
    const { map } = Atlas.page;
    const bounds = canvas._bounds;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas._container.getContext('2d'));
    const ratio = devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, -bounds.min.x * ratio, -bounds.min.y * ratio);
    pen.clearRect(bounds.min.x, bounds.min.y, bounds.getSize().x, bounds.getSize().y);
    there = new Map();
    const wanted = spots(map, bounds);
    if (Atlas.big.told.ground.length) { Atlas.ground.draw(pen, wanted.map((spot) => ({ spot, features: ready.get(spot.key) || [] })), colourOf); }
    wanted.forEach((spot) => tile(pen, spot, ready.get(spot.key) || [], bounds));
    circles(pen, map);
    heads = signs(pen);
    glow(pen);
  }

  /* A ring around what is pointed at, here or in the list. */
  /** @param {CanvasRenderingContext2D} pen */
  function glow(pen) {
    const one = there.get(lit);
    if (!one) { return; }
    pen.beginPath();
    pen.arc(one.x, one.y, PIN / 2 + 2, 0, 2 * Math.PI);
    pen.strokeStyle = colourOf('ink');
    pen.lineWidth = 2.5;
    pen.stroke();
  }

  /** @param {number} n */
  function light(n) {
    if (n === lit) { return; }
    lit = n;
    repaint();
  }

  /** @param {number} n */
  const has = (n) => there.has(n);

  /** @param {CanvasRenderingContext2D} pen @param {Spot} spot @param {TileFeature[]} features @param {L.Bounds} view */
  function tile(pen, spot, features, view) {
    const scale = spot.size / spot.extent;
    const shown = Atlas.big.shown();
    /** @type {Map<TiledLook, Record<number, TileFeature[]>>} */
    const groups = new Map();
    const [west, north] = [(/** @type {L.Point} */ (view.min).x - spot.left) / scale, (/** @type {L.Point} */ (view.min).y - spot.top) / scale];
    const [east, south] = [(/** @type {L.Point} */ (view.max).x - spot.left) / scale, (/** @type {L.Point} */ (view.max).y - spot.top) / scale];
    features.forEach((one) => {
      const [x, y, far, low] = one.box;
      if (one.n < 0 || far < west || x > east || low < north || y > south) { return; }
      const look = Atlas.big.look(one.n, one.look);
      if (!shown[look.place] || Atlas.columns?.isOut(one.n)) { return; }
      head(one, look, spot, scale);
      if (one.type === 1) { return; }
      let group = groups.get(look);
      if (!group) { groups.set(look, group = {}); }
      (group[one.type] ||= []).push(one);
    });
    pen.save();
    pen.beginPath();
    pen.rect(spot.left, spot.top, spot.size, spot.size);
    pen.clip();
    groups.forEach((group, look) => Object.entries(group).forEach(([type, some]) => shapes(pen, { look, type: Number(type), features: some }, spot, scale)));
    pen.restore();
  }

  /* Where a feature's sign stands: of a shape that tiles cut, on the largest part. */
  /** @param {TileFeature} one @param {TiledLook} look @param {Spot} spot @param {number} scale */
  function head(one, look, spot, scale) {
    const [west, north, east, south] = one.box;
    const area = (east - west + 1) * (south - north + 1);
    const known = there.get(one.n);
    if (known && known.area >= area) { return; }
    const line = one.type === 2 ? one.rings[0] : null;
    const half = line ? Math.floor(line.length / 4) * 2 : 0;
    const [x, y] = line ? [line[half], line[half + 1]] : [(west + east) / 2, (north + south) / 2];
    there.set(one.n, { n: one.n, look, area, r: one.r, x: spot.left + x * scale, y: spot.top + y * scale, more: 0 });
  }

  /** @param {CanvasRenderingContext2D} pen @param {{ look: TiledLook, type: number, features: TileFeature[] }} group @param {Spot} spot @param {number} scale */
  function shapes(pen, { look, type, features }, spot, scale) {
    const colour = colourOf(look.name);
    pen.strokeStyle = colour;
    pen.fillStyle = colour;
    pen.lineWidth = type === 3 ? 2 : Atlas.big.told.widths[look.kind] || 2;
    pen.setLineDash(type === 2 && look.sign === 'approximate' ? [9, 7] : []);
    // each by itself: of two that overlap in one path the common ground would be a hole
    features.forEach(({ rings, box: [west, north, east, south] }) => {
      const isTiny = type === 3 && Math.max(east - west, south - north) * scale < TINY;
      pen.beginPath();
      rings.forEach((ring) => {
        pen.moveTo(spot.left + ring[0] * scale, spot.top + ring[1] * scale);
        for (let i = 2; i < ring.length; i += 2) { pen.lineTo(spot.left + ring[i] * scale, spot.top + ring[i + 1] * scale); }
        if (type === 3) { pen.closePath(); }
      });
      if (type === 3) {
        pen.globalAlpha = look.dim ? 0.1 : isTiny ? 0.7 : 0.35;
        pen.fill('evenodd');
      }
      if (isTiny) { return; }
      pen.globalAlpha = look.dim ? 0.3 : 1;
      pen.stroke();
    });
    pen.globalAlpha = 1;
    pen.setLineDash([]);
  }

  /* What is known only by its commune: a circle of its true area. */
  /** @param {CanvasRenderingContext2D} pen @param {L.Map} map */
  function circles(pen, map) {
    there.forEach(({ r, x, y, look }) => {
      if (!r) { return; }
      const { lat } = map.layerPointToLatLng([x, y]);
      const metre = 2 ** (map.getZoom() + 8) / (40075017 * Math.cos((lat * Math.PI) / 180));
      pen.beginPath();
      pen.arc(x, y, r * metre, 0, 2 * Math.PI);
      pen.strokeStyle = pen.fillStyle = colourOf(look.name);
      pen.globalAlpha = look.dim ? 0.05 : 0.12;
      pen.fill();
      pen.globalAlpha = look.dim ? 0.3 : 1;
      pen.setLineDash([5, 4]);
      pen.lineWidth = 1.5;
      pen.stroke();
      pen.setLineDash([]);
      pen.globalAlpha = 1;
    });
  }

  /* Of signs that would hide each other one is shown, with the count of the others. */
  /** @returns {Head[]} */
  function stacked() {
    /** @type {Map<number, Head[]>} */
    const cells = new Map();
    /** @type {Head[]} */
    const told = [];
    there.forEach((one) => {
      one.more = 0;
      const [column, row] = [Math.floor(one.x / PIN), Math.floor(one.y / PIN)];
      for (let x = column - 1; x <= column + 1; x += 1) {
        for (let y = row - 1; y <= row + 1; y += 1) {
          const over = cells.get(x * ROWS + y)?.find((its) => Math.max(Math.abs(its.x - one.x), Math.abs(its.y - one.y)) < PIN);
          if (over) {
            over.more += 1;
            return;
          }
        }
      }
      told.push(one);
      const key = column * ROWS + row;
      const here = cells.get(key);
      if (here) { here.push(one); } else { cells.set(key, [one]); }
    });
    return told;
  }

  /** @param {CanvasRenderingContext2D} pen @returns {Head[]} */
  function signs(pen) {
    const pins = stacked();
    const open = Atlas.big.opened();
    if (pins.length <= PINS_MOST) {
      pins.forEach((one) => { if (one.n !== open) { pin(pen, one); } });
      return pins;
    }
    const dots = [...there.values()];
    const paper = colourOf('paper');
    dots.forEach((one) => {
      if (one.n === open) { return; }
      const isFirm = one.look.sign === 'known';
      pen.globalAlpha = one.look.dim ? 0.3 : 1;
      pen.beginPath();
      pen.arc(one.x, one.y, DOT, 0, 2 * Math.PI);
      pen.fillStyle = isFirm ? colourOf(one.look.name) : paper;
      pen.strokeStyle = isFirm ? paper : colourOf(one.look.name);
      pen.lineWidth = isFirm ? 1 : 1.8;
      pen.fill();
      pen.stroke();
    });
    pen.globalAlpha = 1;
    return dots;
  }

  /** @param {CanvasRenderingContext2D} pen @param {Head} one */
  function pin(pen, { x, y, look, more }) {
    const side = PIN + 2 * EDGE;
    pen.drawImage(picture(look), x - side / 2, y - side / 2, side, side);
    if (more) { badge(pen, `+${more}`, x + PIN / 2 + 2, y + PIN / 2 + 3); }
  }

  /** @type {Map<TiledLook, HTMLCanvasElement>} */
  const pictures = new Map();

  /* A sign is drawn once for each look, then copied. */
  /** @param {TiledLook} look */
  function picture(look) {
    let made = pictures.get(look);
    if (!made) {
      pictures.set(look, made = document.createElement('canvas'));
      const ratio = devicePixelRatio || 1;
      made.width = made.height = Math.ceil((PIN + 2 * EDGE) * ratio);
      const pen = /** @type {CanvasRenderingContext2D} */ (made.getContext('2d'));
      pen.scale(ratio, ratio);
      pen.translate(EDGE, EDGE);
      sign(pen, look);
    }
    return made;
  }

  /** @param {CanvasRenderingContext2D} pen @param {TiledLook} look */
  function sign(pen, look) {
    const isFirm = look.sign === 'known';
    const [colour, paper] = [colourOf(look.name), colourOf('paper')];
    const shape = look.sign === 'single_point' ? 'single_point' : Atlas.big.isRoute(look.kind) ? 'route' : look.kind;
    pen.globalAlpha = look.dim ? 0.3 : 1;
    pen.fillStyle = isFirm ? colour : paper;
    pen.strokeStyle = isFirm ? paper : colour;
    pen.lineWidth = isFirm ? 1.2 : 1.8;
    pen.setLineDash(isFirm ? [] : [3.2, 2]);
    symbol(`shape-${shape}`).forEach(({ path }) => {
      pen.fill(path);
      pen.stroke(path);
    });
    pen.setLineDash([]);
    pen.translate(6, 6);
    pen.scale(14 / 16, 14 / 16);
    pen.strokeStyle = pen.fillStyle = isFirm ? paper : colour;
    symbol(`sign-${look.stage}`).forEach(({ path, fills, width }) => {
      if (fills) { pen.fill(path); }
      pen.lineWidth = width;
      if (width) { pen.stroke(path); }
    });
  }

  /** @param {CanvasRenderingContext2D} pen @param {string} text @param {number} right @param {number} low */
  function badge(pen, text, right, low) {
    pen.font = '10px system-ui, sans-serif';
    const width = pen.measureText(text).width + 4;
    pen.fillStyle = colourOf('ink');
    pen.fillRect(right - width, low - 12, width, 12);
    pen.fillStyle = colourOf('paper');
    pen.fillText(text, right - width + 2, low - 2.5);
  }

  /** @type {Map<string, { path: Path2D, fills: boolean, width: number }[]>} */
  const symbols = new Map();

  /* The page's own symbols, as paths. */
  /** @param {string} id */
  function symbol(id) {
    let told = symbols.get(id);
    if (!told) {
      told = [...(document.getElementById(id)?.children || [])].map((part) => {
        const path = new Path2D(part.getAttribute('d') || '');
        if (part.localName === 'circle') {
          const [x, y, r] = ['cx', 'cy', 'r'].map((name) => Number(part.getAttribute(name)));
          path.arc(x, y, r, 0, 2 * Math.PI);
        }
        const width = part.matches('.mark') ? 2.4 : part.matches('.ring') ? 1.8 : 0;
        return { path, fills: part.matches('.fill'), width };
      });
      symbols.set(id, told);
    }
    return told;
  }

  /** @type {Map<string, string>} */
  const colours = new Map();

  /* A layer's or a state's own colour, or one of the page's, as the styles have it. */
  /** @param {string} name */
  function colourOf(name) {
    let told = colours.get(name);
    if (!told) {
      const probe = document.createElement('span');
      const isOwn = name.includes('-');
      if (isOwn) { probe.className = name; }
      Atlas.page.map.getContainer().append(probe);
      told = getComputedStyle(probe).getPropertyValue(isOwn ? '--mine' : `--${name}`).trim() || '#555';
      probe.remove();
      colours.set(name, told);
    }
    return told;
  }

  /* The number of the feature at a point of the map's layer, its sign before its shape; -1: none. */
  /** @param {L.Point} at */
  function find(at) {
    let best = -1;
    let least = heads.length > PINS_MOST ? NEAR : PIN / 2 + 2;
    heads.forEach(({ n, x, y }) => {
      const far = Math.hypot(x - at.x, y - at.y);
      if (far <= least) { [best, least] = [n, far]; }
    });
    if (best >= 0) { return best; }
    const { map } = Atlas.page;
    for (const spot of spots(map, L.bounds([at]))) {
      const scale = spot.size / spot.extent;
      const [x, y] = [(at.x - spot.left) / scale, (at.y - spot.top) / scale];
      const found = (ready.get(spot.key) || []).find((one) => there.has(one.n) && touches(one, x, y, NEAR / scale));
      if (found) { return found.n; }
    }
    return -1;
  }

  /** @param {TileFeature} one @param {number} x @param {number} y @param {number} near */
  function touches(one, x, y, near) {
    const [west, north, east, south] = one.box;
    if (x < west - near || x > east + near || y < north - near || y > south + near) { return false; }
    if (one.type === 3) { return one.rings.reduce((inside, ring) => inside !== holds(ring, x, y), false); }
    return one.type === 2 && one.rings.some((line) => runsBy(line, x, y, near));
  }

  /** @param {number[]} ring @param {number} x @param {number} y */
  function holds(ring, x, y) {
    let inside = false;
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const crosses = (ring[i + 1] > y) !== (ring[j + 1] > y);
      if (crosses && x < ((ring[j] - ring[i]) * (y - ring[i + 1])) / (ring[j + 1] - ring[i + 1]) + ring[i]) { inside = !inside; }
    }
    return inside;
  }

  /** @param {number[]} line @param {number} x @param {number} y @param {number} near */
  function runsBy(line, x, y, near) {
    for (let i = 2; i < line.length; i += 2) {
      const [a, b] = [L.point(line[i - 2], line[i - 1]), L.point(line[i], line[i + 1])];
      if (L.LineUtil.pointToSegmentDistance(L.point(x, y), a, b) <= near) { return true; }
    }
    return false;
  }

  /* The numbers of the features in the map's frame, the nearest to its middle first. */
  /** @param {L.Map} map */
  function inView(map) {
    const low = map.containerPointToLayerPoint([0, 0]);
    const frame = L.bounds(low, low.add(map.getSize()));
    const middle = frame.getCenter();
    return [...there.values()].filter(({ x, y }) => frame.contains([x, y]))
      .sort((a, b) => Math.hypot(a.x - middle.x, a.y - middle.y) - Math.hypot(b.x - middle.x, b.y - middle.y) || a.n - b.n)
      .map(({ n }) => n);
  }

  return { build, archiveAt, draw, warm, clear, repaint, find, light, has, inView };
})();
