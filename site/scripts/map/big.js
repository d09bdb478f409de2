/* Layers of more records than a page holds: counts from afar, tiles from near, details when asked. */
'use strict';
Atlas.big = (() => {
  const { make, byId, svg, use, number } = Atlas.base;
  const { records } = Atlas.draw;
  const OPEN = 'tiled-open';
  const LISTED = 20;
  const SETTLED_MS = 250;
  const told = /** @type {Big} */ (ATLAS_LAYERS.big);
  const looks = told.stages.length * told.signs.length;
  /** @type {Record<string, [string, L.LayerGroup]>} */
  const groups = {};
  /** @type {Map<string | number, TiledLook>} */
  const seen = new Map();
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {Map<string, Promise<Shard>>} */
  const shards = new Map();
  /** @type {L.LayerGroup} */
  let opened;
  let isBroken = location.protocol === 'file:';
  let timer = 0;
  let naming = 0;
  let over = -1;
  const hint = L.tooltip({ className: 'hint', direction: 'top' });
  let round = 0;

  /** @type {AtlasScripts['big']['say']} */
  const say = (key, values = {}) => told.words[key].replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));

  const shown = () => told.kinds.map((kind) => Atlas.page.map.hasLayer(groups[kind][1]));

  const isNear = () => !isBroken && Atlas.page.map.getZoom() >= told.from;

  const grids = Object.keys(told.grids).map(Number).sort((a, b) => a - b);

  /* The finest grid that is not finer than the view. */
  const gridZoom = () => grids.filter((zoom) => zoom <= Math.round(Atlas.page.map.getZoom())).pop() ?? grids[0];

  /** @param {string} kind */
  const isRoute = (kind) => told.routes.includes(kind);

  /* By kind and stage; by a year's stage or the schedule once the columns have them. */
  /** @type {AtlasScripts['big']['look']} */
  function look(n, code) {
    const other = Atlas.columns?.look(n);
    const key = other ? `${code} ${other.stage} ${other.name || ''}` : code;
    let known = seen.get(key);
    if (!known) {
      const place = Math.floor(code / looks);
      const kind = told.kinds[place];
      const stage = told.stages[Math.floor((code % looks) / told.signs.length)];
      const sign = told.signs[code % told.signs.length];
      seen.set(key, known = { place, kind, stage, sign, name: `layer-${kind}`, dim: false, ...other });
    }
    return known;
  }

  /** @param {number} n */
  function shard(n) {
    const path = `${told.details}/${Math.floor(n / told.shard)}.bin`;
    let got = shards.get(path);
    if (!got) {
      got = Atlas.source.json(path);
      shards.set(path, got);
      got.catch(() => shards.delete(path));
    }
    return got;
  }

  /* What the panel needs of one record, as a small layer's feature has it. */
  /** @param {number} n @returns {Promise<any>} */
  async function details(n) {
    const all = await shard(n);
    const i = n % told.shard;
    const { id: ids, name, table, kind, sign, stage, says, where, at, facts, money, area, complete } = all;
    numbers.set(ids[i], n);
    const against = { state: all.schedule[i], text: all.against[i], promise: all.promise[i] };
    return {
      n, against, id: ids[i], name: name[i], table: table[i], kind: kind[i], sign: sign[i], stage: stage[i],
      says: says[i], where: where[i], at: at[i], facts: [...facts[i], ...money[i]], width: told.widths[kind[i]],
      area: area[i], complete: complete[i]
    };
  }

  /* An id is looked up in the one file that its sum points to. */
  /** @param {string} id @returns {Promise<number | undefined>} */
  async function numberOf(id) {
    if (!numbers.has(id)) {
      let sum = 0x811c9dc5;
      new TextEncoder().encode(id).forEach((byte) => { sum = Math.imul(sum ^ byte, 0x01000193) >>> 0; });
      const known = await Atlas.source.json(`${told.ids}/${sum % told.buckets}.bin`);
      if (Object.hasOwn(known, id)) { numbers.set(id, known[id]); }
    }
    return numbers.get(id);
  }

  /* The open record becomes a feature like those of small layers: its sign takes the focus. */
  /** @param {number} n */
  async function promote(n) {
    const feature = await details(n);
    if (!(feature.id in records)) {
      if (feature.at) {
        ATLAS_LAYERS.layers[OPEN] = [feature];
        await Atlas.draw.fill([[OPEN, opened]]);
        opened.clearLayers();
      } else {
        return feature.id;
      }
    }
    return feature.id;
  }

  /** @param {number} n @param {boolean} focus @param {HTMLElement | null} [back] @param {boolean} [isAway] */
  async function open(n, focus, back, isAway) {
    try {
      const id = await promote(n);
      if (isAway) { goTo(id); }
      if (records[id]) { Atlas.page.pick(id, focus, back); }
    } catch {
      Atlas.base.tell(say('not_loaded'));
    }
  }

  /** @param {string} id */
  function goTo(id) {
    const { map } = Atlas.page;
    const zoom = Math.max(map.getZoom(), Math.min(told.from + 2, map.getMaxZoom()));
    if (records[id]?.at) { map.setView(records[id].at, zoom, { animate: false }); }
  }

  const openNumber = () => numbers.get(Atlas.panel.open) ?? -1;

  /* Only the open one has a sign of its own. */
  function settle() {
    opened.clearLayers();
    const feature = openNumber() < 0 ? null : records[Atlas.panel.open];
    if (feature) { opened.addLayer(feature.group); }
    Atlas.draw.stack(Atlas.page.map);
    Atlas.tiles.repaint();
  }

  /* A tiled record has no page of its own: its panel leads to the sources and the downloads. */
  function dress() {
    const feature = /** @type {any} */ (records[Atlas.panel.open]);
    if (!feature || openNumber() < 0) { return; }
    const panel = byId('panel');
    const link = /** @type {HTMLAnchorElement} */ (panel.querySelector('.acts a'));
    link.href = '../sources/index.html';
    link.textContent = say('sources');
    const data = make('a', '', say('data'));
    data.href = '../data/index.html';
    link.after(' ', data);
    const line = make('p', 'against');
    const { state, text, promise } = feature.against;
    const sign = svg('svg', { class: 'sign', viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' });
    sign.append(use(`sign-state-${state}`, '', [0, 0, 16, 16]));
    line.append(sign, say('against', { text }));
    if (promise.length) {
      line.append(make('span', 'proof', `${promise[0]} · ${Atlas.base.say('source')} ${promise[1]} · ${promise[2]}`));
    }
    panel.querySelector('.acts')?.before(line);
    panel.querySelector('.close')?.addEventListener('click', settle);
  }

  function wrap() {
    const { panel } = Atlas;
    const { show, refresh, close } = panel;
    panel.show = (id, focus, back) => {
      const isThere = show(id, focus, back);
      dress();
      settle();
      return isThere;
    };
    panel.refresh = () => {
      refresh();
      dress();
    };
    panel.close = () => {
      close();
      settle();
    };
  }

  /* The numbers of the rows: in view the nearest to its middle; once the reader orders or narrows
     them from afar, the first of all that is left. */
  /** @returns {Promise<{ numbers: number[], all: number, more: string }>} */
  async function rows() {
    const isOrdered = Atlas.order && (Atlas.page.state.sort !== 'kind' || (!isNear() && Atlas.columns?.isNarrowed()));
    byId('near-title').textContent = say(isOrdered ? 'first' : 'title');
    if (isOrdered) { return { ...await Atlas.order.first(LISTED), more: 'longer' }; }
    const near = isNear() ? Atlas.tiles.inView(Atlas.page.map) : [];
    return { numbers: near.slice(0, LISTED), all: near.length, more: 'more' };
  }

  /* Beside the name: what small layers' rows say there. */
  /** @param {any} one */
  function rowText(one) {
    const { year, sort, colour, at, route } = Atlas.page.state;
    const mark = Atlas.columns?.mark(one.n);
    const parts = [mark ? `${told.titles[one.kind]} · ${year}: ${Atlas.browse.yearText(mark)}` : one.says];
    if (!Atlas.order) { return parts[0]; }
    const isPlace = one.table === 'places';
    if (isPlace) { parts.push(one.area === null ? Atlas.base.say('area_unknown') : `${number(one.area)}\u00a0ha`); }
    if (at) { parts.push(Atlas.list.span(Atlas.order.span('point', one.n))); }
    if (route && isPlace) { parts.push(Atlas.list.span(Atlas.order.span('away', one.n))); }
    if (sort === 'schedule' || colour) { parts.push(one.against.text); }
    if (sort === 'complete') { parts.push(Atlas.base.say('complete_by', { share: one.complete })); }
    return parts.join(' · ');
  }

  /** @param {any} one */
  function row(one) {
    const item = make('li');
    const link = make('a', '', one.name);
    link.href = `#id=${one.id}`;
    link.dataset.n = String(one.n);
    const star = Atlas.base.button('', async () => {
      if (await Atlas.page.later()) { Atlas.shortlist.toggle(one.id); }
    }, 'star');
    star.dataset.star = one.id;
    star.dataset.name = one.name;
    item.append(link, star, make('span', 'row-more', rowText(one)));
    item.addEventListener('mouseenter', () => Atlas.tiles.light(one.n));
    item.addEventListener('mouseleave', () => Atlas.tiles.light(-1));
    item.addEventListener('focusin', () => Atlas.tiles.light(one.n));
    item.addEventListener('focusout', () => Atlas.tiles.light(-1));
    return item;
  }

  /* Whether each row is on the shortlist, which comes with the filters. */
  function stars() {
    document.querySelectorAll('#near-items .star').forEach((one) => {
      const star = /** @type {HTMLElement} */ (one);
      const has = Boolean(Atlas.shortlist?.has(star.dataset.star || ''));
      star.setAttribute('aria-pressed', String(has));
      star.setAttribute('aria-label', `${Atlas.base.say(has ? 'unlist' : 'enlist')}: ${star.dataset.name}`);
      star.textContent = has ? '★' : '☆';
    });
  }

  /* This is how a keyboard reaches features. */
  /** @param {number} mine */
  async function list(mine) {
    const items = byId('near-items');
    const [near, some] = await rows().then(async (near) => /** @type {const} */ ([near, await Promise.all(near.numbers.map(details))]))
      .catch(() => /** @type {const} */ ([{ all: 0, more: 'more' }, []]));
    if (mine !== round) { return; }
    const had = /** @type {HTMLElement | null} */ (items.contains(document.activeElement) ? document.activeElement : null);
    const name = had?.matches('.star') ? '.star' : 'a';
    const n = had?.closest('li')?.querySelector('a')?.dataset.n;
    items.replaceChildren(...some.map(row));
    stars();
    if (had) {
      const same = items.querySelector(`[data-n="${n}"]`)?.closest('li')?.querySelector(name);
      /** @type {HTMLElement | null} */ (same || byId('near-title'))?.focus({ preventScroll: true });
    }
    const more = near.all - some.length;
    byId('near-more').textContent = more > 0 ? say(near.more, { count: number(more) }) : '';
    document.documentElement.dataset.near = String(near.all);
  }

  /** @param {string} text */
  function status(text) { byId('near-said').textContent = text; }

  async function update() {
    const { map } = Atlas.page;
    const mine = round += 1;
    byId('near').hidden = false;
    if (isNear()) {
      const had = Atlas.grid.clear();
      if (had) { byId('near-title').focus({ preventScroll: true }); }
      try {
        await Atlas.page.load(Atlas.source.address(told.reader));
        await Atlas.tiles.draw(map);
        if (mine === round) { status(say('near', { count: number(Atlas.tiles.inView(map).length) })); }
      } catch {
        isBroken = true;
      }
    }
    if (!isNear()) {
      Atlas.tiles.clear();
      const count = await Atlas.grid.draw(map, gridZoom(), shown());
      if (mine === round) { status(`${say('far', { count: number(count) })} ${isBroken && map.getZoom() >= told.from ? broken() : say('closer')}`); }
    }
    if (mine !== round) { return; }
    document.documentElement.dataset.tiles = isNear() ? 'near' : 'far';
    clearTimeout(timer);
    timer = setTimeout(() => list(mine), SETTLED_MS);
  }

  /* The next view may be had again. */
  function broken() {
    if (location.protocol === 'file:') { return say('on_disk'); }
    isBroken = false;
    return say('not_loaded');
  }

  function section() {
    const box = make('section', 'near');
    box.id = 'near';
    box.hidden = true;
    const title = make('h3', '', say('title'));
    title.id = 'near-title';
    title.tabIndex = -1;
    box.setAttribute('aria-labelledby', 'near-title');
    const [said, items, more] = [make('p'), make('ul'), make('p', 'note')];
    said.id = 'near-said';
    said.setAttribute('role', 'status');
    items.id = 'near-items';
    more.id = 'near-more';
    const data = make('a', '', say('data'));
    data.href = '../data/index.html';
    const foot = make('p');
    foot.append(data);
    box.append(title, said, items, more, foot);
    byId('records').before(box);
    items.addEventListener('click', (event) => {
      const link = /** @type {HTMLElement} */ (event.target).closest('a');
      if (!link) { return; }
      event.preventDefault();
      open(Number(link.dataset.n), true, link, !Atlas.tiles.has(Number(link.dataset.n)));
    });
  }

  /* What is pointed at is lit and, if one stays, called by its name. */
  /** @param {number} n @param {L.LatLng} at */
  function hover(n, at) {
    const { map } = Atlas.page;
    if (n === over) { return; }
    over = n;
    hint.remove();
    map.getContainer().classList.toggle('is-over', n >= 0);
    Atlas.tiles.light(n);
    clearTimeout(naming);
    if (n < 0) { return; }
    naming = setTimeout(async () => {
      const one = await details(n).catch(() => null);
      if (one && n === over) { hint.setContent(make('span', '', one.name)).setLatLng(at).addTo(map); }
    }, SETTLED_MS);
  }

  async function follow() {
    const { id } = Atlas.page.state;
    if (!id || id in records || isBroken) { return; }
    const n = await numberOf(id).catch(() => undefined);
    if (n === undefined) { return; }
    const isAway = !Atlas.page.state.map;
    await promote(n);
    if (isAway) { goTo(id); }
    Atlas.panel.show(id, false, null);
  }

  /** @param {Parts} parts */
  async function begin({ map, layers }) {
    layers.forEach((one) => { groups[one[0]] = one; });
    opened = L.layerGroup().addTo(map);
    section();
    Atlas.tiles.build(map);
    Atlas.grid.build(map);
    wrap();
    map.on('moveend viewreset overlayadd overlayremove', update);
    map.on('click', (event) => {
      const n = isNear() ? Atlas.tiles.find(event.layerPoint) : -1;
      if (n >= 0) { open(n, false, null); }
    });
    map.on('mousemove', (event) => hover(isNear() ? Atlas.tiles.find(event.layerPoint) : -1, event.latlng));
    map.on('mouseout', () => hover(-1, map.getCenter()));
    addEventListener('hashchange', follow);
    await Promise.all([update(), follow()]);
    document.documentElement.dataset.bigReady = 'true';
  }

  /* What a link that leads near will need is asked for while the map is made. */
  function warm() {
    const { map } = Atlas.hash.parse(location.hash);
    const frame = document.querySelector('.atlas-map');
    if (isBroken || !map || map[0] < told.from || !frame) { return; }
    Atlas.source.ahead(told.archives[Atlas.tiles.archiveAt(map[0])][1]);
    Atlas.page.load(Atlas.source.address(told.reader)).then(() => Atlas.tiles.warm(map, frame), () => {});
  }

  const first = Atlas.begin;
  Atlas.begin = async (parts) => {
    await first(parts);
    await begin(parts);
  };

  queueMicrotask(warm);

  return { told, say, shown, isNear, gridZoom, isRoute, look, opened: openNumber, update, open, details, numberOf, stars };
})();
