/* The page comes alive: first view, links, the open record; the filters come when asked for. */
'use strict';
Atlas.page = (() => {
  const { make, byId, say, tell } = Atlas.base;
  const { records } = Atlas.draw;
  const SAVE_AFTER_MS = 250;
  const TOUCHED = '[data-wants] :focus, [data-wants] details[open], [data-wants][open]';

  /** @type {Promise<boolean> | null} */
  let loading = null;
  let isReady = false;
  let isLater = false;
  let timer = 0;
  /** @type {Record<string, Promise<unknown>>} */
  const loaded = {};
  /** @type {(beginning: Promise<void>) => void} */
  let drawing = () => {};
  /** @type {Promise<void>} */
  const whenDrawn = new Promise((resolve) => { drawing = resolve; });
  /** @type {Set<EventTarget>} */
  const pressed = new Set();

  /* Search, filters, comparison and downloads stand in files of their own, and need the map. */
  /** @returns {Promise<boolean>} */
  function later() {
    if (!loading) {
      const addresses = (byId('map-page').dataset.later || '').split(' ');
      loading = whenDrawn.then(() => Promise.all(addresses.map(load))).then(() => {
        isLater = true;
        Atlas.browse.start();
        return true;
      }, () => {
        loading = null;
        tell(say('not_loaded'));
        return false;
      });
    }
    return loading;
  }

  /* A script, or a style; each comes once. */
  /** @type {AtlasScripts['page']['load']} */
  function load(address) {
    return loaded[address] ||= new Promise((resolve, reject) => {
      const part = address.endsWith('.css')
        ? Object.assign(make('link'), { rel: 'stylesheet', href: address })
        : Object.assign(make('script'), { src: address, async: false });
      part.addEventListener('load', resolve);
      part.addEventListener('error', (event) => {
        delete loaded[address];
        reject(event);
      });
      document.head.append(part);
    });
  }

  /** @param {boolean} [embed] */
  function address(embed) {
    const here = new URL(location.href);
    here.search = embed ? '?embed=1' : '';
    here.hash = Atlas.hash.format(Atlas.page.state);
    return here.href;
  }

  function write() {
    const text = Atlas.hash.format(Atlas.page.state);
    try {
      history.replaceState(null, '', text);
    } catch {
      // a browser may forbid it for a page on disk: the copied link holds the view all the same
    }
    links(text);
  }

  /** @param {string} text */
  function links(text) {
    document.querySelectorAll('.switch a, #full-page').forEach((link) => {
      /** @type {HTMLAnchorElement} */ (link).hash = text;
    });
  }

  /* Written together a moment after the last change. */
  function save() {
    if (!isReady) { return; }
    clearTimeout(timer);
    timer = setTimeout(write, SAVE_AFTER_MS);
  }

  /** @type {AtlasScripts['page']['pick']} */
  function pick(id, focus, back) {
    if (!Atlas.panel.show(id, focus, back)) { return false; }
    Atlas.page.state.id = id;
    save();
    later();
    return true;
  }

  /* The layer control stands in the legend, each name beside its symbol. */
  /** @param {Parts} parts */
  function legend({ control, layers }) {
    const container = control.getContainer();
    if (!container) { return; }
    const symbols = byId('layer-symbols');
    byId('layer-control').append(container);
    const labels = container.querySelectorAll('label > span');
    layers.forEach(([id], i) => {
      const symbol = symbols.querySelector(`[data-layer="${id}"] svg`);
      if (labels[i] && symbol) { labels[i].insertBefore(symbol.cloneNode(true), labels[i].lastElementChild); }
    });
    symbols.hidden = true;
  }

  /** @param {L.Map} made */
  function credit(made) {
    const line = L.control.attribution({ prefix: false }).addTo(made);
    document.querySelectorAll('#credits li').forEach((item) => {
      line.addAttribution((item.textContent || '').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`));
    });
  }

  /** @param {Parts} parts @param {State} state */
  function setLayers({ map, layers }, state) {
    layers.forEach(([id, layer]) => {
      if (state.hide.includes(id)) { layer.removeFrom(map); } else { layer.addTo(map); }
    });
  }

  /** @param {Parts} parts */
  function watch({ map, layers }) {
    let isResizing = false;
    map.on('moveend', () => {
      if (isResizing) { return; }
      const centre = map.getCenter();
      Atlas.page.state.map = [map.getZoom(), centre.lat, centre.lng];
      save();
    });
    map.on('zoomend overlayadd overlayremove', () => Atlas.draw.stack(map));
    map.on('overlayadd overlayremove', () => {
      Atlas.page.state.hide = layers.filter(([, layer]) => !map.hasLayer(layer)).map(([id]) => id);
      save();
    });
    new ResizeObserver(() => {
      isResizing = true;
      map.invalidateSize({ pan: false });
      isResizing = false;
    }).observe(map.getContainer());
  }

  function listen() {
    byId('records').addEventListener('click', (event) => {
      const link = /** @type {HTMLElement} */ (event.target).closest('a');
      const id = link?.dataset.id;
      const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
      if (link && id && id in records && plain && event.button === 0) {
        event.preventDefault();
        Atlas.draw.goTo(Atlas.page.map, records[id]);
        pick(id, true, link);
      }
    });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.defaultPrevented) { Atlas.panel.close(); }
    });
  }

  /* The first touch of a part asks for the filters, whether the map is drawn by then or not. */
  function heed() {
    document.querySelectorAll('[data-wants]').forEach((part) => {
      ['pointerdown', 'focusin'].forEach((name) => part.addEventListener(name, () => { later(); }));
      ['click', 'change', 'input'].forEach((name) => part.addEventListener(name, again, true));
    });
    if (document.querySelector(TOUCHED)) { later(); }
    document.querySelectorAll('[data-wants] input, [data-wants] select').forEach((part) => {
      if (!isSet(part)) { return; }
      ['input', 'change'].forEach((name) => part.dispatchEvent(new Event(name, { bubbles: true })));
    });
  }

  /* Does it say what the page did not come with? A radio that another one put out does not. */
  /** @param {Element} part */
  function isSet(part) {
    if (part instanceof HTMLSelectElement) { return part.selectedIndex > 0; }
    if (!(part instanceof HTMLInputElement)) { return false; }
    if (part.type === 'radio') { return part.checked && !part.defaultChecked; }
    return part.type === 'checkbox' ? part.checked !== part.defaultChecked : part.value !== part.defaultValue;
  }

  /* What is pressed or set before the filters are there is pressed and set again when they are. */
  /** @param {Event} event */
  async function again(event) {
    const part = /** @type {HTMLInputElement} */ (event.target);
    const isButton = part instanceof HTMLButtonElement;
    if (isLater || part.id === 'search' || (event.type === 'click' && !isButton)) { return; }
    const { value, checked } = part;
    if (isButton && pressed.has(part)) { return; }
    pressed.add(part);
    const isThere = await later();
    pressed.delete(part);
    if (!isThere) { return; }
    if (isButton) {
      part.click();
    } else {
      Object.assign(part, { value, checked });
      part.dispatchEvent(new Event(event.type, { bubbles: true }));
    }
  }

  /* What a link asks for. A bare id is the reader's wish to see that record. */
  /** @param {Parts} parts */
  function follow(parts) {
    const state = Atlas.hash.parse(location.hash);
    Atlas.page.state = state;
    setLayers(parts, state);
    if (state.map) {
      const [zoom, latitude, longitude] = state.map;
      parts.map.setView([latitude, longitude], zoom, { animate: false });
    }
    if (!state.id) { Atlas.panel.close(); }
    if (state.id in records) {
      if (!state.map) {
        Atlas.draw.goTo(parts.map, records[state.id]);
        parts.map.getContainer().scrollIntoView({ block: 'start' });
      }
      Atlas.panel.show(state.id, false, null);
    }
    links(Atlas.hash.format(state));
    if (loading || wanted(state)) {
      later().then((there) => { if (there && isReady) { Atlas.browse.changed(); } });
    }
  }

  /** @param {State} state */
  function wanted(state) {
    let isKept = false;
    try {
      const list = localStorage.getItem('atlas.shortlist');
      isKept = Boolean((list && list !== '[]') || localStorage.getItem('atlas.hand'));
    } catch { /* blocked: nothing is kept */ }
    return !Atlas.hash.isPlain(state) || isKept;
  }

  function embed() {
    if (new URLSearchParams(location.search).get('embed') !== '1') { return; }
    const { map } = Atlas.page;
    const view = map.getBounds();
    document.documentElement.classList.add('is-embed');
    const link = make('a', '', say('full'));
    link.id = 'full-page';
    link.href = 'index.html';
    link.target = '_blank';
    link.rel = 'noopener';
    const line = make('p', 'full-page');
    line.append(link);
    byId('map-page').before(line);
    map.invalidateSize({ pan: false });
    map.fitBounds(view, { animate: false });
  }

  /** @param {string} table */
  function count(table) {
    const { map } = Atlas.page;
    return Object.values(records).filter((one) => one.table === table && map.hasLayer(one.marker)).length;
  }

  /** @type {AtlasScripts['begin']} */
  async function begin(parts) {
    const root = document.documentElement.dataset;
    const { map } = parts;
    Object.assign(Atlas.page, { map, layers: parts.layers });
    embed();
    await Atlas.draw.fill(parts.layers);
    Atlas.draw.onPick = (id, byKey) => {
      pick(id, byKey, byKey ? records[id].marker.getElement() : null);
      byId('panel').querySelector('.here')?.setAttribute('open', '');
    };
    if (ATLAS_LAYERS.aside) {
      Atlas.draw.named(ATLAS_LAYERS.aside, say('aside'), 'aside').addTo(map);
    }
    legend(parts);
    credit(map);
    root.placesDrawn = String(count('places'));
    root.routesDrawn = String(count('routes'));
    listen();
    follow(parts);
    Atlas.draw.stack(map);
    watch(parts);
    isReady = true;
    root.mapReady = 'true';
    addEventListener('hashchange', () => follow(parts));
    /* The list has an entry of that id too: the browser goes there, the reader wants the map. */
    addEventListener('load', () => {
      if (location.hash.slice(1) in records) { map.getContainer().scrollIntoView({ block: 'start' }); }
    });
  }

  heed();
  Atlas.map = Atlas.draw.map;
  Atlas.layer = () => L.layerGroup();
  Atlas.begin = (parts) => {
    const beginning = begin(parts);
    drawing(beginning);
    return beginning;
  };
  return /** @type {AtlasScripts['page']} */ ({ state: Atlas.hash.empty(), later, load, save, address, pick });
})();
