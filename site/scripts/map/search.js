/* The search box: a combobox whose list is grouped by kind; typos and missing accents forgiven. */
'use strict';
Atlas.search = (() => {
  const { make, byId, input, say, find } = Atlas.base;
  const fold = globalThis.atlasFold;
  const MOST = 40;
  const PERMUTED = 1; // words may stand in another order
  const LOOKED_AT = 2000;

  /** @type {UFuzzy} */
  let engine;
  /** @type {string[]} */
  let haystack = [];
  /** @type {HTMLElement[]} */
  let options = [];
  let at = -1;

  /* The best entry of each record, the best record first. */
  /** @param {string} text @returns {Result[]} */
  function look(text) {
    const needle = fold(text).slice(0, 80);
    if (!needle) { return []; }
    const [all, info, ranked] = engine.search(haystack, needle, PERMUTED, LOOKED_AT);
    const places = ranked && info ? ranked.map((i) => info.idx[i]) : [...(all || [])];
    /* What holds the very words comes first, and of these a name before anything else. */
    /** @param {number} place */
    const order = (place) => {
      const [, field, , folded] = find().search[place];
      return (` ${folded} `.includes(` ${needle} `) ? 0 : 2) + (field === 'name' || field === 'other_name' ? 0 : 1);
    };
    places.sort((a, b) => order(a) - order(b));
    /** @type {Map<string, Result>} */
    const best = new Map();
    places.forEach((place) => {
      const [id, field, shown] = find().search[place];
      if (!best.has(id)) { best.set(id, { id, field, text: shown }); }
    });
    return [...best.values()].slice(0, MOST);
  }

  /** @param {Result} result @param {number} place */
  function option(result, place) {
    const found = find().records[result.id];
    const item = make('div', 'option', found.name);
    item.id = `found-${place}`;
    item.setAttribute('role', 'option');
    item.setAttribute('aria-selected', 'false');
    item.dataset.id = result.id;
    if (result.field !== 'name') {
      item.append(make('span', 'why', `${say(`found_${result.field}`)}: ${result.text}`));
    }
    return item;
  }

  /** @param {Result[]} results */
  function fill(results) {
    const list = byId('search-list');
    list.textContent = '';
    options = [];
    const kinds = [...new Set(results.map((one) => find().records[one.id].kind))];
    kinds.forEach((kind, i) => {
      const group = make('div', 'group');
      const title = make('div', 'group-title', say(`group_${kind}`));
      title.id = `group-${i}`;
      title.setAttribute('role', 'presentation');
      group.setAttribute('role', 'group');
      group.setAttribute('aria-labelledby', title.id);
      group.append(title);
      results.filter((one) => find().records[one.id].kind === kind).forEach((one) => {
        options.push(option(one, options.length));
        group.append(options[options.length - 1]);
      });
      list.append(group);
    });
  }

  /** @param {boolean} on */
  function open(on) {
    byId('search-list').hidden = !on;
    input('search').setAttribute('aria-expanded', String(on));
    if (!on) { point(-1); }
  }

  /** @param {number} place */
  function point(place) {
    options[at]?.setAttribute('aria-selected', 'false');
    at = place;
    const here = options[at];
    if (!here) {
      input('search').removeAttribute('aria-activedescendant');
      return;
    }
    here.setAttribute('aria-selected', 'true');
    input('search').setAttribute('aria-activedescendant', here.id);
    here.scrollIntoView({ block: 'nearest' });
  }

  /* Names of tiled records lie in files of their own: what they give comes below. */
  /** @param {string} text */
  async function more(text) {
    const found = await Atlas.found?.search(fold(text)).catch(() => []) || [];
    if (!found.length || input('search').value !== text) { return; }
    const group = make('div', 'group');
    const title = make('div', 'group-title', Atlas.big.say('named'));
    title.id = 'group-tiled';
    title.setAttribute('role', 'presentation');
    group.setAttribute('role', 'group');
    group.setAttribute('aria-labelledby', title.id);
    group.append(title);
    found.forEach(({ n, name, kind }) => {
      const item = make('div', 'option', name);
      item.id = `found-${options.length}`;
      item.setAttribute('role', 'option');
      item.setAttribute('aria-selected', 'false');
      item.dataset.n = String(n);
      item.append(make('span', 'why', say(`group_${kind}`)));
      options.push(item);
      group.append(item);
    });
    byId('search-list').append(group);
    open(true);
    byId('search-said').textContent = say('found', { count: options.length });
    byId('search-none').hidden = true;
  }

  function asked() {
    const text = input('search').value;
    const typed = Atlas.point.read(text);
    const results = typed ? [] : look(text);
    fill(results);
    if (typed) {
      options = [Atlas.point.option(typed)];
      byId('search-list').append(...options);
    }
    open(options.length > 0);
    byId('search-said').textContent = fold(text) ? say(options.length ? 'found' : 'found_none', { count: options.length }) : '';
    byId('search-none').hidden = !fold(text) || options.length > 0;
    if (!typed && Atlas.found) { more(text); }
  }

  /** @param {HTMLElement | undefined} item */
  function choose(item) {
    const { id, at, n } = item?.dataset || {};
    if (n) {
      open(false);
      Atlas.big.open(Number(n), true, input('search'), true);
    }
    if (at) {
      open(false);
      Atlas.point.set(/** @type {At} */ (at.split('/').map(Number)));
    }
    if (!id) { return; }
    open(false);
    reveal(id);
    const feature = Atlas.draw.records[id];
    if (feature) { Atlas.draw.goTo(Atlas.page.map, feature); }
    Atlas.page.pick(id, true, input('search'));
  }

  /* A record that the filters hide is opened all the same, and the reader is told. */
  /** @param {string} id */
  function reveal(id) {
    if (!Atlas.browse.shown.includes(id)) { Atlas.base.tell(say('hidden_by_filters')); }
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    const isOpen = !byId('search-list').hidden;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!isOpen) { asked(); }
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const next = at === -1 && step === -1 ? options.length - 1 : at + step;
      point(next >= options.length ? 0 : next < 0 ? options.length - 1 : next);
    } else if (event.key === 'Enter' && isOpen) {
      event.preventDefault();
      choose(options[Math.max(at, 0)]);
    } else if (event.key === 'Escape' && (isOpen || input('search').value)) {
      event.preventDefault();
      if (!isOpen) { input('search').value = ''; }
      open(false);
    }
  }

  function build() {
    haystack = find().search.map((entry) => entry[3]);
    engine = new uFuzzy({ intraMode: 1 });
    const box = input('search');
    box.addEventListener('input', asked);
    box.addEventListener('keydown', keys);
    box.addEventListener('blur', () => open(false));
    byId('search-list').addEventListener('pointerdown', (event) => event.preventDefault());
    byId('search-list').addEventListener('click', (event) => {
      const item = /** @type {HTMLElement} */ (event.target).closest('.option');
      choose(/** @type {HTMLElement} */ (item) || undefined);
    });
    if (document.activeElement === box && box.value) { asked(); }
  }

  return { build, find: look };
})();
