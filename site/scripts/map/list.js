/* The list beside the map: in step with the filters, in the reader's order, lit both ways. */
'use strict';
Atlas.list = (() => {
  const { make, button, byId, input, say, number, find, wide } = Atlas.base;

  /** @type {Record<string, { item: HTMLElement, link: HTMLAnchorElement, more: HTMLElement, home: HTMLElement, sign: Element | null }>} */
  const rows = Object.create(null);
  /** @type {HTMLElement} */
  let flat;
  let stands = '';

  function build() {
    flat = make('ul', 'flat');
    flat.hidden = true;
    byId('records').append(flat);
    document.querySelectorAll('#records a[data-id]').forEach((one) => row(/** @type {HTMLAnchorElement} */ (one)));
    byId('list').addEventListener('keydown', arrows);
    input('sort').addEventListener('change', () => {
      Atlas.page.state.sort = input('sort').value;
      Atlas.browse.changed();
    });
    input('in-view').addEventListener('change', () => {
      Atlas.page.state.view = input('in-view').checked;
      Atlas.browse.changed();
    });
  }

  /** @param {HTMLAnchorElement} link */
  function row(link) {
    const id = link.dataset.id || '';
    const item = /** @type {HTMLElement} */ (link.closest('li'));
    const more = make('span', 'row-more');
    const star = button('', () => Atlas.shortlist.toggle(id), 'star');
    star.dataset.star = id;
    link.after(star, more);
    rows[id] = { item, link, more, home: /** @type {HTMLElement} */ (item.parentElement), sign: item.querySelector('use') };
    ['mouseenter', 'focusin'].forEach((name) => item.addEventListener(name, () => Atlas.draw.light(id, true)));
    ['mouseleave', 'focusout'].forEach((name) => item.addEventListener(name, () => Atlas.draw.light(id, false)));
  }

  /* Arrow keys walk the rows that are left. */
  /** @param {KeyboardEvent} event */
  function arrows(event) {
    const links = [...document.querySelectorAll('#near-items a, #records a[data-id]')]
      .map((one) => /** @type {HTMLAnchorElement} */ (one)).filter((one) => one.offsetParent);
    const here = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 };
    const next = links[to[event.key]];
    if (here >= 0 && next) {
      event.preventDefault();
      next.focus();
    }
  }

  /** @param {string} id @param {string} name */
  function rank(id, name) {
    const order = find().choices[name].map(([key]) => key);
    return order.indexOf(find().records[id].is[name][0]);
  }

  /** @type {Record<string, (id: string) => number | null>} */
  const KEYS = {
    area: (id) => -(find().records[id].numbers.area_ha ?? NaN),
    complete: (id) => -find().records[id].numbers.completeness_pct,
    stage: (id) => rank(id, 'stage'),
    schedule: (id) => rank(id, 'schedule'),
    point: (id) => {
      const bounds = find().records[id].point;
      return bounds ? (bounds[0] + bounds[1]) / 2 : NaN;
    },
    away: (id) => {
      const bounds = find().records[id].to[Atlas.page.state.route];
      if (!bounds) { return NaN; }
      // of two that may be as near, the one whose farthest is less comes first
      return Atlas.page.state.sure ? bounds[1] : bounds[0] + bounds[1] / 1000;
    }
  };

  /* Equal keys stand by name; what is not known stands last. */
  /** @param {string[]} ids */
  function order(ids) {
    const key = KEYS[Atlas.page.state.sort];
    const collator = new Intl.Collator(find().lang);
    /** @param {string} a @param {string} b */
    const byName = (a, b) => collator.compare(find().records[a].name, find().records[b].name);
    if (!key) { return [...ids].sort(byName); }
    /** @param {string} id */
    const value = (id) => { const told = key(id); return told === null || Number.isNaN(told) ? Infinity : told; };
    return [...ids].sort((a, b) => (value(a) === value(b) ? byName(a, b) : value(a) - value(b)));
  }

  /* Beside the name: what one sorts and narrows by, "not known" said as such. */
  /** @param {string} id @param {Verdict} verdict */
  function told(id, verdict) {
    const { state } = Atlas.page;
    const found = find().records[id];
    const area = found.numbers.area_ha;
    const parts = [found.cells.kind[0]];
    if (state.year === null) {
      parts.push(found.cells.stage ? found.cells.stage[0] : say('stage_unknown'));
    } else {
      parts.push(Atlas.browse.yearText(verdict.mark));
    }
    if (found.table === 'places') {
      parts.push(area === undefined ? say('area_unknown') : `${number(area)}\u00a0ha`);
    }
    if (state.at) { parts.push(span(found.point)); }
    if (state.route && found.table === 'places') { parts.push(span(found.to[state.route])); }
    if (state.sort === 'schedule' || state.colour) { parts.push(found.cells.schedule[0]); }
    if (state.sort === 'complete') { parts.push(say('complete_by', { share: found.numbers.completeness_pct })); }
    return parts.join(' · ');
  }

  /** @param {Bounds | undefined} bounds */
  function span(bounds) {
    if (!bounds) { return say('distance_unknown'); }
    const [least, most] = bounds.map((km) => number(km, 1));
    return bounds[0] === 0 ? say('at_most_km', { most }) : say('between_km', { least, most });
  }

  /** @param {Record<string, Verdict>} verdicts */
  function show(verdicts) {
    const { state } = Atlas.page;
    const focused = document.activeElement;
    const isFlat = state.sort !== 'kind';
    input('sort').value = state.sort;
    input('in-view').checked = state.view;
    flat.hidden = !isFlat;
    stand(isFlat ? order(Object.keys(rows)) : Object.keys(rows), isFlat);
    Object.entries(rows).forEach(([id, { item, more, sign }]) => {
      const verdict = verdicts[id];
      const text = told(id, verdict);
      item.hidden = !verdict.shown;
      item.classList.toggle('is-dim', verdict.mark === '-');
      if (more.textContent !== text) { more.textContent = text; }
      const name = `#sign-${signOf(id, verdict)}`;
      if (sign && sign.getAttribute('href') !== name) { sign.setAttribute('href', name); }
      star(id);
    });
    groups(isFlat);
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.offsetParent) { focused.focus(); }
  }

  /* The sign that the map shows, also for what has no place on it. */
  /** @param {string} id @param {Verdict} verdict */
  function signOf(id, verdict) {
    const { year, colour } = Atlas.page.state;
    if (year !== null) { return Atlas.narrow.group(verdict.mark); }
    const { is } = find().records[id];
    return colour ? `state-${is.schedule[0]}` : is.stage[0];
  }

  /* Rows are moved only when their order is another one. */
  /** @param {string[]} ids @param {boolean} isFlat */
  function stand(ids, isFlat) {
    const order = `${isFlat} ${ids.join(' ')}`;
    if (order === stands) { return; }
    stands = order;
    ids.forEach((id) => (isFlat ? flat : rows[id].home).append(rows[id].item));
  }

  /** @param {string} id */
  function star(id) {
    const button = rows[id].item.querySelector('.star');
    const has = Atlas.shortlist.has(id);
    if (!button || button.getAttribute('aria-pressed') === String(has)) { return; }
    button.setAttribute('aria-pressed', String(has));
    button.setAttribute('aria-label', `${say(has ? 'unlist' : 'enlist')}: ${find().records[id].name}`);
    button.textContent = has ? '★' : '☆';
  }

  /** @param {boolean} isFlat */
  function groups(isFlat) {
    document.querySelectorAll('#records > section').forEach((one) => {
      const section = /** @type {HTMLElement} */ (one);
      const left = section.querySelectorAll('li:not([hidden])').length;
      section.hidden = isFlat || !left;
      /** @type {HTMLElement} */ (section.querySelector('h3 .count')).textContent = `(${number(left)})`;
    });
  }

  /* Lights a row as its sign is pointed at; on wide screens the list rolls to it. */
  /** @param {string} id @param {boolean} on */
  function light(id, on) {
    const found = rows[id];
    if (!found) { return; }
    found.item.classList.toggle('is-lit', on);
    const box = byId('list');
    if (!on || !wide() || box.scrollHeight <= box.clientHeight || found.item.hidden) { return; }
    const [top, edge] = [found.item.getBoundingClientRect(), box.getBoundingClientRect()];
    if (top.top < edge.top || top.bottom > edge.bottom) { box.scrollTop += top.top - edge.top - edge.height / 2; }
  }

  return { build, show, order, span, light };
})();
