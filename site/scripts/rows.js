/* Sorts and narrows the rows of a page's tables; without it every row stands there, in order. */
'use strict';
(() => {
  const LONG = 200;
  const UNKNOWN = 'not_known';
  const AFTER_MS = 250;

  /** @typedef {{ row: HTMLTableRowElement, text: string, place: number }} Line */

  const form = document.getElementById('rows');
  if (!form) { return; }
  const fields = [...form.querySelectorAll('[data-row]')].map((one) => /** @type {HTMLInputElement} */ (one));
  const groups = [...document.querySelectorAll('[data-group]')].map((one) => /** @type {HTMLElement} */ (one));
  /** @type {Map<HTMLElement, Line[]>} */
  const lines = new Map(groups.map((group) => [group, linesOf(group)]));
  let timer = 0;

  /** @param {HTMLElement} group @returns {Line[]} */
  function linesOf(group) {
    const rows = [...group.querySelectorAll('tbody > tr')].map((one) => /** @type {HTMLTableRowElement} */ (one));
    return rows.map((row, place) => ({ row, place, text: globalThis.atlasFold(row.textContent || '') }));
  }

  /** @param {HTMLInputElement} field */
  const asked = (field) => (field.type === 'checkbox' ? (field.checked ? '1' : '') : field.value.trim());

  /** @returns {Record<string, string>} */
  const state = () => Object.fromEntries(fields.map((field) => [field.dataset.row || '', asked(field)]));

  /* What a link asks for and the page does not have is left out. */
  function read() {
    const text = location.hash.slice(1, 2000);
    if (!text.includes('=')) { return; }
    const told = new URLSearchParams(text);
    fields.forEach((field) => {
      const wish = (told.get(field.dataset.row || '') || '').slice(0, LONG);
      const select = field instanceof HTMLSelectElement ? [...field.options].map((one) => one.value) : null;
      if (field.type === 'checkbox') { field.checked = wish === '1'; } else { field.value = !select || select.includes(wish) ? wish : ''; }
    });
    const more = /** @type {HTMLDetailsElement} */ (document.getElementById('rows-more'));
    more.open = more.open || fields.some((field) => more.contains(field) && asked(field));
  }

  /** @param {Line} line @param {Record<string, string>} wish */
  function isShown(line, wish) {
    return line.text.includes(globalThis.atlasFold(wish.q || '')) && Object.entries(wish).every(([name, key]) => {
      const told = line.row.dataset[name];
      if (told === undefined || !key) { return true; }
      const keys = told.split(' ').filter(Boolean);
      return keys.length ? keys.includes(key) : key === UNKNOWN;
    });
  }

  /** @param {Line} line @param {number} column @returns {string | number} */
  function keyOf(line, column) {
    const cell = line.row.cells[column];
    const told = cell?.dataset.key ?? cell?.textContent?.trim() ?? '';
    return /^-?\d+(\.\d+)?$/.test(told) ? Number(told) : told;
  }

  /* What is not known stands last in either order; equal rows stay as they stood. */
  /** @param {Line[]} all @param {number} column @param {boolean} isDown */
  function sorted(all, column, isDown) {
    const collator = new Intl.Collator(document.documentElement.lang);
    return [...all].sort((a, b) => {
      const [mine, its] = [keyOf(a, column), keyOf(b, column)];
      if (mine === '' || its === '') { return Number(mine === '') - Number(its === '') || a.place - b.place; }
      const order = typeof mine === 'number' && typeof its === 'number' ? mine - its : collator.compare(String(mine), String(its));
      return (isDown ? -order : order) || a.place - b.place;
    });
  }

  /** @param {HTMLElement} group @param {Line[]} all @param {Record<string, string>} wish */
  function order(group, all, wish) {
    const heads = [...group.querySelectorAll('thead th')].map((one) => /** @type {HTMLElement} */ (one));
    const column = wish.sort ? heads.findIndex((head) => head.dataset.sort === wish.sort) : -1;
    heads.forEach((head, i) => {
      if (i === column) { head.setAttribute('aria-sort', wish.down ? 'descending' : 'ascending'); } else { head.removeAttribute('aria-sort'); }
    });
    const rows = column < 0 ? [...all].sort((a, b) => a.place - b.place) : sorted(all, column, Boolean(wish.down));
    group.querySelector('tbody')?.append(...rows.map((line) => line.row));
  }

  function show() {
    const wish = state();
    let [shown, all] = [0, 0];
    lines.forEach((told, group) => {
      order(group, told, wish);
      told.forEach((line) => { line.row.hidden = !isShown(line, wish); });
      const left = told.filter((line) => !line.row.hidden).length;
      group.hidden = !left;
      const count = group.querySelector('.count');
      if (count) { count.textContent = `(${left})`; }
      shown += left;
      all += told.length;
    });
    const said = /** @type {HTMLElement} */ (form?.querySelector('[role="status"]'));
    said.textContent = (said.dataset.said || '').replace('{shown}', String(shown)).replace('{all}', String(all));
    document.documentElement.dataset.rowsShown = String(shown);
  }

  function write() {
    const told = Object.entries(state()).filter(([, value]) => value);
    const text = told.length ? `#${new URLSearchParams([['v', '1'], ...told])}` : '';
    try {
      history.replaceState(null, '', text || location.pathname + location.search);
    } catch {
      // a browser may forbid it for a page on disk
    }
    links(text, told);
  }

  /* The other language shows the same rows; the map shows the same records. */
  /** @param {string} text @param {[string, string][]} told */
  function links(text, told) {
    document.querySelectorAll('.switch a').forEach((link) => { /** @type {HTMLAnchorElement} */ (link).hash = text; });
    const map = /** @type {HTMLAnchorElement | null} */ (document.getElementById('rows-map'));
    const shared = told.filter(([name]) => !['q', 'sort', 'down'].includes(name));
    if (map) { map.hash = `#${new URLSearchParams([['v', '1'], ...shared, ['colour', 'schedule']])}`; }
  }

  function changed() {
    show();
    clearTimeout(timer);
    timer = setTimeout(write, AFTER_MS);
  }

  /** @param {string} name @param {string} value @param {boolean} [isOn] */
  function set(name, value, isOn = false) {
    const field = fields.find((one) => one.dataset.row === name);
    if (field?.type === 'checkbox') { field.checked = isOn; } else if (field) { field.value = value; }
  }

  /* A press sorts by the column, a second one turns it around. */
  /** @param {Event} event */
  function pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const name = target.closest('.sort') ? target.closest('th')?.dataset.sort : '';
    if (!name) { return; }
    const wish = state();
    set('down', '', wish.sort === name && !wish.down);
    set('sort', name);
    changed();
  }

  document.addEventListener('click', pressed);
  form.addEventListener('input', changed);
  document.getElementById('rows-reset')?.addEventListener('click', () => {
    fields.forEach((field) => set(field.dataset.row || '', ''));
    changed();
    fields[0].focus();
  });
  addEventListener('hashchange', () => { read(); show(); });
  read();
  show();
  links(location.hash.includes('=') ? location.hash : '', Object.entries(state()).filter(([, value]) => value));
})();
