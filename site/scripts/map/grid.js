/* Counts by cell, where tiles would be too heavy: each cell is a button that leads into it. */
'use strict';
Atlas.grid = (() => {
  const { make, number } = Atlas.base;
  const CELLS_ON = 2;
  const STRENGTHS = 5;
  const compact = new Intl.NumberFormat(document.documentElement.lang === 'vi' ? 'vi-VN' : 'en-GB', { notation: 'compact', maximumFractionDigits: 1 });
  /** @type {Record<string, [number, number, number[]][]>} */
  const unpacked = {};
  /** @type {HTMLElement | null} */
  let pane = null;

  /** @param {L.Map} map */
  function build(map) {
    pane = map.createPane('grid');
    pane.classList.add('grid');
    pane.setAttribute('role', 'group');
    pane.addEventListener('click', (event) => {
      const cell = /** @type {HTMLElement} */ (event.target).closest('button');
      // a map that was dragged was not pressed
      if (cell && !/** @type {any} */ (map.dragging)?.moved()) { into(map, cell); }
    });
    pane.addEventListener('keydown', (event) => walk(event));
    map.on('zoomstart', () => { if (pane) { pane.style.visibility = 'hidden'; } });
    return pane;
  }

  /* Cells come as numbers in a row: x, y by how much more than the last one's, and its counts. */
  /** @param {number} zoom @returns {Promise<[number, number, number[]][]>} */
  async function cells(zoom) {
    const { grids, kinds } = Atlas.big.told;
    if (typeof grids[zoom] === 'string') { await Atlas.page.load(Atlas.source.address(/** @type {string} */ (grids[zoom]))); }
    return unpacked[zoom] ||= split(/** @type {number[]} */ (grids[zoom] || []), kinds.length);
  }

  /** @param {number[]} numbers @param {number} many */
  function split(numbers, many) {
    /** @type {[number, number, number[]][]} */
    const told = [];
    let [x, y] = [0, 0];
    for (let i = 0; i < numbers.length; i += 2 + many) {
      x += numbers[i];
      y += numbers[i + 1];
      told.push([x, y, numbers.slice(i + 2, i + 2 + many)]);
    }
    return told;
  }

  /** @param {number} x @param {number} y @param {number} zoom */
  function corner(x, y, zoom) {
    const size = 256 * 2 ** -CELLS_ON;
    return L.CRS.EPSG3857.pointToLatLng(L.point(x * size, y * size), zoom);
  }

  /* The cells in view, those of the layers that are shown and of what the filters leave. */
  /** @param {L.Map} map @param {number} zoom @param {boolean[]} shown */
  async function draw(map, zoom, shown) {
    // counts of what the filters leave that did not come are no counts of everything
    const left = await Atlas.columns?.cells(zoom, CELLS_ON).catch(() => {
      Atlas.base.tell(Atlas.big.say('not_loaded'));
      return [];
    });
    const all = left || await cells(zoom);
    if (!pane || zoom !== Atlas.big.gridZoom()) { return 0; }
    const bounds = map.getBounds().pad(0.1);
    const there = all.map(([x, y, counts]) => ({ x, y, counts, count: counts.reduce((sum, one, i) => sum + (shown[i] ? one : 0), 0) }))
      .filter(({ x, y, count }) => count && bounds.intersects(L.latLngBounds(corner(x, y + 1, zoom), corner(x + 1, y, zoom))));
    const most = Math.max(1, ...there.map((one) => one.count));
    const had = pane.contains(document.activeElement);
    pane.replaceChildren(...there.map((one) => button(map, zoom, one, shown, most)));
    pane.style.visibility = '';
    const first = middle(map);
    if (first) { first.tabIndex = 0; }
    if (had) { first?.focus({ preventScroll: true }); }
    return there.reduce((sum, one) => sum + one.count, 0);
  }

  /** @param {L.Map} map @param {number} zoom @param {{ x: number, y: number, counts: number[], count: number }} cell @param {boolean[]} shown @param {number} most */
  function button(map, zoom, { x, y, counts, count }, shown, most) {
    const [top, low] = [map.latLngToLayerPoint(corner(x, y, zoom)), map.latLngToLayerPoint(corner(x + 1, y + 1, zoom))];
    const strength = Math.max(1, Math.ceil((Math.log1p(count) / Math.log1p(most)) * STRENGTHS));
    const told = make('button', `cell is-${strength}`, compact.format(count));
    const { kinds, titles } = Atlas.big.told;
    const parts = kinds.flatMap((kind, i) => (shown[i] && counts[i] ? [`${titles[kind]}: ${number(counts[i])}`] : []));
    told.type = 'button';
    told.tabIndex = -1;
    told.dataset.cell = `${zoom}/${x}/${y}`;
    told.setAttribute('aria-label', Atlas.big.say('cell', { count: number(count), kinds: parts.join('; ') }));
    told.title = parts.join('\n');
    Object.assign(told.style, { left: `${top.x}px`, top: `${top.y}px`, width: `${low.x - top.x}px`, height: `${low.y - top.y}px` });
    return told;
  }

  /** @param {L.Map} map */
  function middle(map) {
    const box = map.getContainer().getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    return /** @type {HTMLElement | null} */ (nearest((one) => {
      const mine = one.getBoundingClientRect();
      return Math.hypot(mine.left + mine.width / 2 - x, mine.top + mine.height / 2 - y);
    }));
  }

  /** @param {(one: Element) => number} far */
  function nearest(far) {
    let best = null;
    let least = Infinity;
    for (const one of pane?.children || []) {
      const value = far(one);
      if (value < least) { [best, least] = [one, value]; }
    }
    return best;
  }

  /* Arrow keys go to the next cell that way; where there is none, the map moves. */
  /** @param {KeyboardEvent} event */
  function walk(event) {
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    const here = /** @type {HTMLElement} */ (event.target);
    if (!way) { return; }
    const [, x, y] = (here.dataset.cell || '').split('/').map(Number);
    const next = /** @type {HTMLElement | null} */ (nearest((one) => {
      const [, itsX, itsY] = (/** @type {HTMLElement} */ (one).dataset.cell || '').split('/').map(Number);
      const along = (itsX - x) * way[0] + (itsY - y) * way[1];
      const aside = Math.abs((itsX - x) * way[1]) + Math.abs((itsY - y) * way[0]);
      return along > 0 ? along + 2 * aside : Infinity;
    }));
    if (!next) { return; }
    event.preventDefault();
    event.stopPropagation();
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus({ preventScroll: true });
  }

  /** @param {L.Map} map @param {HTMLElement} cell */
  function into(map, cell) {
    const [zoom, x, y] = (cell.dataset.cell || '').split('/').map(Number);
    const bounds = L.latLngBounds(corner(x, y + 1, zoom), corner(x + 1, y, zoom));
    const wanted = Math.max(map.getBoundsZoom(bounds), map.getZoom() + 1);
    map.setView(bounds.getCenter(), Math.min(wanted, map.getMaxZoom()), { animate: false });
  }

  function clear() {
    const had = pane?.contains(document.activeElement);
    pane?.replaceChildren();
    return Boolean(had);
  }

  return { build, draw, clear, cells };
})();
