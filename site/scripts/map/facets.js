/* The filters' form: choices with counts, ranges with a histogram, "not known" always a choice. */
'use strict';
Atlas.facets = (() => {
  const { make, svg, byId, input, say, number, find } = Atlas.base;
  const { FACETS, RANGES } = Atlas.hash;
  const DISTANCES = ['road', 'canal', 'port', 'away', 'point'];
  const NUMBERS = RANGES.filter((name) => !DISTANCES.includes(name) && name !== 'late');
  const BINS = 20;
  const STEPS = 100;
  const HEIGHT = 24;
  /** @type {Record<string, string>} */
  const UNIT = { area: 'ha', price: 'USD/m²', occupancy: '%', complete: '%' };

  /** @type {Record<string, { most: number, step: number }>} */
  let scales = {};
  /** @type {Record<string, Verdict> | null} */
  let last = null;

  /** @param {string} name */
  const unitOf = (name) => (name === 'late' ? say('days') : UNIT[name] || 'km');

  /** @param {string} name @param {number} value */
  function amount(name, value) {
    const unit = unitOf(name);
    return unit === '%' ? `${number(value)}%` : `${number(value)}\u00a0${unit}`;
  }

  /* Of a distance the end that decides: the nearest it may be, or the farthest. */
  /** @param {string} id @param {string} name */
  function deciding(id, name) {
    const { state } = Atlas.page;
    const span = Atlas.narrow.spanOf(find().records[id], name, state.route);
    return Array.isArray(span) ? span[state.sure ? 1 : 0] : span;
  }

  /** @param {string} name */
  function scale(name) {
    const ids = Object.keys(find().records);
    const spans = ids.map((id) => Atlas.narrow.spanOf(find().records[id], name, Atlas.page.state.route));
    const tops = spans.map((span) => (Array.isArray(span) ? span[1] : span || 0));
    const top = unitOf(name) === '%' ? 100 : Math.max(1, Atlas.columns?.most(name) || 0, ...tops);
    const rough = top / STEPS;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max(unitOf(name) === 'km' ? 0.5 : 1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) || 1);
    return { most: Math.ceil(top / step) * step, step };
  }

  /** @param {string} name @param {string} title */
  function box(name, title) {
    const details = make('details', 'facet');
    details.id = `facet-${name}`;
    const summary = make('summary', '', title);
    const picked = make('span', 'picked');
    summary.append(' ', picked);
    details.append(summary);
    return details;
  }

  /** @param {string} name */
  function choices(name) {
    const details = box(name, say(`facet_${name}`));
    const set = make('fieldset', 'choices');
    set.append(make('legend', 'hidden', say(`facet_${name}`)));
    find().choices[name].forEach(([key, title]) => {
      const label = make('label');
      const tick = make('input');
      tick.type = 'checkbox';
      tick.value = key;
      tick.dataset.facet = name;
      const count = make('span', 'count');
      label.append(tick, ' ', make('span', '', title), ' ', count);
      set.append(label);
    });
    details.append(set);
    return details;
  }

  /** @param {string} name @param {string} end */
  function slider(name, end) {
    const isLeast = end === 'least';
    const box = make('div', 'slide');
    const label = make('label', '', say(isLeast ? 'from' : 'to'));
    const bar = make('input');
    bar.type = 'range';
    bar.id = `${name}-${end}`;
    bar.dataset.range = name;
    bar.dataset.end = end;
    bar.min = '0';
    label.htmlFor = bar.id;
    box.append(label, bar, exact(name, end), make('span', 'unit', unitOf(name)));
    return box;
  }

  /* The same as a number, for whoever does not drag. */
  /** @param {string} name @param {string} end */
  function exact(name, end) {
    const field = make('input', 'exact');
    field.type = 'number';
    field.id = `${name}-${end}-exact`;
    field.min = '0';
    field.step = 'any';
    field.dataset.range = name;
    field.dataset.end = end;
    const side = end === 'least' ? say('from') : say('to');
    field.setAttribute('aria-label', `${say(`facet_${name}`)}, ${side} (${unitOf(name)})`);
    field.addEventListener('change', () => changed(field));
    field.addEventListener('input', (event) => event.stopPropagation());
    return field;
  }

  /** @param {string} name */
  function range(name) {
    const set = make('fieldset', 'range');
    set.id = `range-${name}`;
    set.append(make('legend', '', say(`facet_${name}`)));
    const picture = svg('svg', { class: 'histogram', viewBox: `0 0 ${BINS * 4} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    const label = make('label');
    const tick = make('input');
    tick.type = 'checkbox';
    tick.dataset.unknown = name;
    label.append(tick, ' ', make('span', 'unknown'));
    set.append(picture, slider(name, 'least'), slider(name, 'most'), label);
    return set;
  }

  function routeChoice() {
    const label = make('label', 'route-choice', say('route'));
    const select = make('select');
    select.id = 'route';
    label.append(select);
    return label;
  }

  /* Of tiled routes those at hand can be chosen too: the open one, those listed, the one asked for. */
  function fillRoutes() {
    const select = /** @type {HTMLSelectElement} */ (byId('route'));
    const routes = [['', say('no_route')], ...find().routes, ...(Atlas.found?.routes() || [])];
    const told = routes.map(([id]) => id).join(' ');
    if (select.dataset.told !== told) {
      select.replaceChildren(...routes.map(([id, name]) => new Option(name, id)));
      select.dataset.told = told;
    }
    select.value = Atlas.page.state.route;
  }

  function sureChoice() {
    const set = make('fieldset', 'choices');
    set.append(make('legend', '', say('sure_title')));
    [['0', 'maybe'], ['1', 'certain']].forEach(([value, key]) => {
      const label = make('label');
      const dot = make('input');
      dot.type = 'radio';
      dot.name = 'sure';
      dot.value = value;
      label.append(dot, ' ', make('span', '', say(key)));
      set.append(label);
    });
    return set;
  }

  function build() {
    const form = byId('facets');
    form.textContent = '';
    FACETS.forEach((name) => form.append(choices(name)));
    const numbers = box('numbers', say('facet_numbers'));
    NUMBERS.forEach((name) => numbers.append(range(name)));
    const distance = box('distance', say('facet_distance'));
    distance.append(make('p', 'note', say('distance_note')), sureChoice(), routeChoice());
    ['point', 'away', 'road', 'canal', 'port'].forEach((name) => distance.append(range(name)));
    form.append(numbers, distance);
    byId('facet-schedule').append(range('late'));
    form.addEventListener('input', (event) => changed(/** @type {HTMLInputElement} */ (event.target)));
    byId('filters').addEventListener('toggle', again, true);
  }

  /** @param {string} name */
  const asked = (name) => ({ ...(Atlas.page.state.range[name] || { least: null, most: null, known: false }) });

  /** @param {string} name @param {Span} wish */
  function setRange(name, wish) {
    const { range: ranges } = Atlas.page.state;
    if (wish.least === null && wish.most === null && !wish.known) { delete ranges[name]; } else { ranges[name] = wish; }
  }

  /* The end that was moved pushes the other before it. */
  /** @param {HTMLInputElement} bar */
  function slid(bar) {
    const name = bar.dataset.range || '';
    const wish = asked(name);
    const { most: top } = scales[name] || scale(name);
    const value = Math.max(0, bar.value === '' ? (bar.dataset.end === 'least' ? 0 : top) : Number(bar.value));
    if (bar.dataset.end === 'least') {
      wish.least = value > 0 ? value : null;
      if (wish.most !== null && wish.most < value) { wish.most = value < top ? value : null; }
    } else {
      wish.most = value < top ? value : null;
      if (wish.least !== null && wish.least > value) { wish.least = value > 0 ? value : null; }
    }
    setRange(name, wish);
  }

  /** @param {HTMLInputElement} part */
  function changed(part) {
    const { state } = Atlas.page;
    const { facet, range: slidden, unknown } = part.dataset;
    if (facet) {
      const ticked = [...document.querySelectorAll(`[data-facet="${facet}"]:checked`)];
      const keys = ticked.map((one) => /** @type {HTMLInputElement} */ (one).value);
      if (keys.length) { state.choose[facet] = keys; } else { delete state.choose[facet]; }
    } else if (slidden) {
      slid(part);
    } else if (unknown) {
      setRange(unknown, { ...asked(unknown), known: !part.checked });
    } else if (part.id === 'route') {
      state.route = part.value;
    } else if (part.name === 'sure') {
      state.sure = part.value === '1';
    }
    Atlas.browse.changed();
  }

  /* What a link asks for that this edition does not know is left out. */
  function read() {
    const { state } = Atlas.page;
    FACETS.forEach((name) => {
      const there = new Set(find().choices[name].map(([key]) => key));
      const kept = (state.choose[name] || []).filter((key) => there.has(key));
      if (kept.length) { state.choose[name] = kept; } else { delete state.choose[name]; }
    });
    const isTiled = state.route && Atlas.found?.may(state.route);
    if (!isTiled && !find().routes.some(([id]) => id === state.route)) { state.route = ''; }
  }

  /** @param {string} name @param {Record<string, Verdict>} verdicts */
  function showChoices(name, verdicts) {
    const ids = Atlas.narrow.without(verdicts, name);
    /** @type {Record<string, number>} */
    const counts = {};
    ids.forEach((id) => keysOf(id, name, verdicts).forEach((key) => { counts[key] = (counts[key] || 0) + 1; }));
    count(name, counts);
    Atlas.columns?.keys(name).then((more) => count(name, counts, more)).catch(() => {});
  }

  /** @param {string} name @param {Record<string, number>} counts @param {Record<string, number>} [more] */
  function count(name, counts, more = {}) {
    document.querySelectorAll(`[data-facet="${name}"]`).forEach((one) => {
      const tick = /** @type {HTMLInputElement} */ (one);
      const there = (counts[tick.value] || 0) + (more[tick.value] || 0);
      /** @type {HTMLElement} */ (tick.parentElement?.querySelector('.count')).textContent = `(${number(there)})`;
    });
  }

  /** @param {string} id @param {string} name @param {Record<string, Verdict>} verdicts */
  function keysOf(id, name, verdicts) {
    const byYear = name === 'stage' && Atlas.page.state.year !== null;
    const keys = byYear ? [Atlas.narrow.group(verdicts[id].mark)] : find().records[id].is[name];
    return keys.length ? keys : ['not_known'];
  }

  /* Nothing is known of it, so there is nothing to narrow by. */
  /** @param {string} name */
  function isBlind(name) {
    const { route } = Atlas.page.state;
    return !Atlas.columns?.knows(name) && Object.values(find().records).every((one) => Atlas.narrow.spanOf(one, name, route) === null);
  }

  /** @param {string} name */
  function setBars(name) {
    const wish = asked(name);
    const { most, step } = scales[name] = scale(name);
    const disabled = isBlind(name) && !Atlas.page.state.range[name];
    [['least', wish.least ?? 0], ['most', wish.most ?? most]].forEach(([end, value]) => {
      const bar = input(`${name}-${end}`);
      Object.assign(bar, { max: String(most), step: String(step), value: String(value), disabled });
      bar.setAttribute('aria-valuetext', amount(name, Number(value)));
      const field = input(`${name}-${end}-exact`);
      if (field.value !== String(value)) { field.value = String(value); }
      field.disabled = disabled;
    });
    const tick = /** @type {HTMLInputElement} */ (byId(`range-${name}`).querySelector('[data-unknown]'));
    Object.assign(tick, { checked: !wish.known, disabled });
  }

  /** @param {string} name @param {Record<string, Verdict>} verdicts */
  function showRange(name, verdicts) {
    const ids = Atlas.narrow.without(verdicts, name);
    const values = ids.map((id) => deciding(id, name));
    histogram(name, values);
    Atlas.columns?.bins(name, scales[name].most, BINS).then((more) => histogram(name, values, more)).catch(() => {});
  }

  /** @param {string} name @param {(number | null)[]} values @param {{ counts: number[], none: number }} [more] */
  function histogram(name, values, more) {
    const set = byId(`range-${name}`);
    const none = number(values.filter((value) => value === null).length + (more?.none || 0));
    const { route, at } = Atlas.page.state;
    const isAsked = name === 'away' ? route : name === 'point' ? at : true;
    /** @type {HTMLElement} */ (set.querySelector('.unknown')).textContent = !isAsked ? say(name === 'point' ? 'no_point' : 'no_route')
      : isBlind(name) ? say('none_known') : say('unknown_too', { count: none });
    bars(/** @type {SVGElement} */ (set.querySelector('svg')), values, name, more?.counts);
  }

  /** @param {SVGElement} picture @param {(number | null)[]} values @param {string} name @param {number[]} [more] */
  function bars(picture, values, name, more) {
    const [wish, { most: top }] = [asked(name), scales[name]];
    const counts = more ? [...more] : new Array(BINS).fill(0);
    values.forEach((value) => {
      if (value !== null) { counts[Math.min(BINS - 1, Math.floor((value / top) * BINS))] += 1; }
    });
    const highest = Math.max(1, ...counts);
    picture.replaceChildren(...counts.map((count, i) => {
      const [from, to] = [(i * top) / BINS, ((i + 1) * top) / BINS];
      const isIn = to > (wish.least ?? -1) && from <= (wish.most ?? top);
      const height = (count / highest) * HEIGHT;
      return svg('rect', { x: i * 4, y: HEIGHT - height, width: 3, height, class: isIn ? 'in' : 'out' });
    }));
  }

  /* What is folded away is drawn when it is opened. */
  function again() { if (last) { show(last); } }

  /** @param {string} name */
  function isOpen(name) {
    const box = /** @type {HTMLDetailsElement} */ (byId(`facet-${name}`));
    return box.open && /** @type {HTMLDetailsElement} */ (byId('filters')).open;
  }

  /** @param {string} name */
  const boxOf = (name) => (DISTANCES.includes(name) ? 'distance' : name === 'late' ? 'schedule' : 'numbers');

  /** @param {Record<string, Verdict>} verdicts */
  function show(verdicts) {
    const { state } = Atlas.page;
    last = verdicts;
    FACETS.forEach((name) => {
      const wanted = state.choose[name] || [];
      const count = wanted.length + (name === 'schedule' && state.range.late ? 1 : 0);
      document.querySelectorAll(`[data-facet="${name}"]`).forEach((one) => {
        const tick = /** @type {HTMLInputElement} */ (one);
        tick.checked = wanted.includes(tick.value);
      });
      /** @type {HTMLElement} */ (document.querySelector(`#facet-${name} .picked`)).textContent = count ? `(${count})` : '';
    });
    FACETS.filter(isOpen).forEach((name) => showChoices(name, verdicts));
    RANGES.forEach(setBars);
    RANGES.filter((name) => isOpen(boxOf(name))).forEach((name) => showRange(name, verdicts));
    fillRoutes();
    document.querySelectorAll('[name="sure"]').forEach((one) => {
      const dot = /** @type {HTMLInputElement} */ (one);
      dot.checked = dot.value === (state.sure ? '1' : '0');
    });
    const on = Atlas.narrow.active(state);
    [['numbers', NUMBERS], ['distance', DISTANCES]].forEach(([name, ranges]) => {
      const count = on.filter((filter) => ranges.includes(filter)).length;
      /** @type {HTMLElement} */ (document.querySelector(`#facet-${name} .picked`)).textContent = count ? `(${count})` : '';
    });
    byId('filters-on').textContent = on.length ? `(${on.length})` : '';
  }

  /* One filter in words, as the knock-out list names it. */
  /** @param {string} filter */
  function describe(filter) {
    const { state } = Atlas.page;
    if (filter === 'view') { return say('in_view'); }
    const title = say(`facet_${filter}`);
    if (FACETS.includes(filter)) {
      const labels = new Map(find().choices[filter]);
      return `${title}: ${state.choose[filter].map((key) => labels.get(key) || key).join(', ')}`;
    }
    const route = new Map(find().routes).get(state.route) || Atlas.narrow.of(state.route)?.name || '';
    return `${filter === 'away' ? say('away_from', { route }) : title}: ${spanText(filter)}`;
  }

  /** @param {string} name */
  function spanText(name) {
    const { least, most, known } = asked(name);
    const parts = [
      least === null ? '' : say('at_least', { value: amount(name, least) }),
      most === null ? '' : say('at_most', { value: amount(name, most) }),
      known ? say('only_known') : '',
      DISTANCES.includes(name) && Atlas.page.state.sure ? say('certain_short') : ''
    ];
    return parts.filter(Boolean).join(', ');
  }

  /** @param {string} filter */
  function drop(filter) {
    const { state } = Atlas.page;
    if (filter === 'view') { state.view = false; }
    delete state.choose[filter];
    delete state.range[filter];
    Atlas.browse.changed();
  }

  return { build, read, show, describe, drop };
})();
