/* The reader's shortlist: kept in this browser, carried by the link, lost where neither is allowed. */
'use strict';
Atlas.shortlist = (() => {
  const { make, button, byId, say, find, tell } = Atlas.base;
  const KEPT_AS = 'atlas.shortlist';
  const COMPARED = 4;

  /* Those left out of the next comparison. */
  /** @type {Set<string>} */
  const left = new Set();

  /** @returns {string[]} */
  function kept() {
    try {
      const told = JSON.parse(localStorage.getItem(KEPT_AS) || '[]');
      return Array.isArray(told) ? told.filter((id) => typeof id === 'string') : [];
    } catch {
      return [];
    }
  }

  /** @param {string[]} ids */
  function keep(ids) {
    try {
      localStorage.setItem(KEPT_AS, JSON.stringify(ids));
    } catch {
      // storage is blocked or full: the list lives as long as the page, and in its link
    }
  }

  /* The list of the link comes first; without one, what this browser kept. */
  function list() {
    const { state } = Atlas.page;
    const ids = state.shortlist || kept();
    state.shortlist = ids.filter((id, i) => (id in find().records || Atlas.found?.may(id)) && ids.indexOf(id) === i);
    return state.shortlist;
  }

  /** @param {string} id */
  const nameOf = (id) => Atlas.narrow.of(id)?.name || id;

  /** @param {string} id */
  const has = (id) => list().includes(id);

  /** @param {string} id */
  function toggle(id) {
    if (!Atlas.narrow.of(id)) {
      Atlas.found?.ready([id]).then(() => { if (Atlas.narrow.of(id)) { toggle(id); } });
      return;
    }
    const isIn = has(id);
    change(isIn ? list().filter((one) => one !== id) : [...list(), id]);
    tell(say(isIn ? 'unlisted' : 'enlisted', { name: nameOf(id), count: list().length }));
  }

  /** @param {string[]} ids */
  function change(ids) {
    Atlas.page.state.shortlist = ids;
    keep(ids);
    Atlas.browse.changed();
    Atlas.panel.refresh();
  }

  /** @returns {string[]} */
  const picked = () => list().filter((id) => !left.has(id)).slice(0, COMPARED);

  /** @param {string} id */
  function entry(id) {
    const item = make('li');
    const label = make('label');
    const tick = make('input');
    tick.type = 'checkbox';
    tick.checked = picked().includes(id);
    tick.disabled = !tick.checked && picked().length >= COMPARED;
    tick.addEventListener('change', () => {
      if (tick.checked) { left.delete(id); } else { left.add(id); }
      show();
      /** @type {HTMLElement | null} */ (byId('shortlist').querySelector(`[data-tick="${id}"]`))?.focus();
    });
    tick.dataset.tick = id;
    label.append(tick, ' ', nameOf(id));
    const away = button('×', () => {
      toggle(id);
      byId('shortlist-title').focus();
    }, 'remove');
    away.setAttribute('aria-label', `${say('unlist')}: ${nameOf(id)}`);
    item.append(label, away);
    return item;
  }

  function show() {
    const box = byId('shortlist');
    const ids = list();
    box.hidden = !ids.length;
    byId('shortlist-count').textContent = `(${ids.length})`;
    byId('shortlist-items').replaceChildren(...ids.map(entry));
    const compare = /** @type {HTMLButtonElement} */ (byId('compare-open'));
    compare.textContent = say('compare_count', { count: picked().length });
    compare.disabled = picked().length < 2;
    Atlas.big?.stars();
  }

  function build() {
    byId('compare-open').addEventListener('click', () => {
      Atlas.page.state.compare = picked();
      Atlas.compare.show(picked(), true);
      Atlas.page.save();
    });
    byId('shortlist-clear').addEventListener('click', () => {
      change([]);
      input().focus();
    });
  }

  const input = () => Atlas.base.input('search');

  return { build, has, toggle, show };
})();
