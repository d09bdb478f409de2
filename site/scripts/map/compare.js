/* Two to four records side by side: differences marked, sources at each number, gaps shown. */
'use strict';
Atlas.compare = (() => {
  const { make, button, byId, input, say, tell, find } = Atlas.base;

  /** @type {HTMLElement | null} */
  let back = null;

  /* Whose value is the better one: only where one is known to be, never by a doubtful distance. */
  /** @type {AtlasScripts['compare']['better']} */
  function better([key, , which], ids) {
    /** @type {[string, number | Bounds][]} */
    const known = ids.flatMap((id) => {
      const value = Atlas.narrow.of(id)?.cells[key]?.[5];
      return value === null || value === undefined ? [] : [[id, value]];
    });
    if (!which || known.length < 2) { return []; }
    if (which === 'nearest') { return nearest(known); }
    const values = known.map(([, value]) => Number(value));
    const best = which === 'lowest' ? Math.min(...values) : Math.max(...values);
    return values.every((value) => value === best) ? [] : known.filter(([, value]) => value === best).map(([id]) => id);
  }

  /** @param {[string, number | Bounds][]} known */
  function nearest(known) {
    const sure = known.filter(([id, mine]) => known.every(([other, its]) => other === id
      || /** @type {Bounds} */ (mine)[1] < /** @type {Bounds} */ (its)[0]));
    return sure.map(([id]) => id);
  }

  /** @param {string} key @param {string[]} ids */
  function differs(key, ids) {
    return new Set(ids.map((id) => Atlas.narrow.of(id)?.cells[key]?.[0] || '')).size > 1;
  }

  /** @param {string} id @param {[string, string, string]} row @param {string[]} best */
  function cell(id, row, best) {
    const box = make('td');
    const told = Atlas.narrow.of(id)?.cells[row[0]];
    if (!told) {
      box.append(make('span', 'unknown', say('unknown')));
      return box;
    }
    const [text, date, documents, trust, others] = told;
    box.append(make('span', 'value', text));
    if (best.includes(id)) {
      box.classList.add('is-best');
      box.append(' ', make('b', 'best', say(`best_${row[2]}`)));
    }
    const sources = (documents || []).map((i) => find().documents[i]).join('; ');
    const proof = [date, sources && `${say('source')} ${sources}`, trust].filter(Boolean).join(' · ');
    if (proof) { box.append(make('span', 'proof', proof)); }
    if (others) { box.append(make('span', 'note', `${say('disputed')} ${others}`)); }
    return box;
  }

  /** @param {string[]} ids */
  function head(ids) {
    const line = make('tr');
    line.append(make('td', '', ''));
    ids.forEach((id) => {
      const found = /** @type {Found} */ (Atlas.narrow.of(id));
      const title = make('th');
      title.scope = 'col';
      const link = make('a', '', found.name);
      link.href = id in find().records ? `../${found.table}/${encodeURIComponent(id)}/index.html` : `#${id}`;
      const away = button(say('remove'), () => remove(id), 'remove');
      away.setAttribute('aria-label', `${say('remove')}: ${found.name}`);
      title.append(link, ' ', away);
      line.append(title);
    });
    return line;
  }

  /** @param {string[]} ids */
  function body(ids) {
    const rows = find().rows.filter(([key]) => ids.some((id) => Atlas.narrow.of(id)?.cells[key]));
    return rows.map((row) => {
      const line = make('tr');
      const isOther = differs(row[0], ids);
      line.className = isOther ? 'differs' : 'same';
      const title = make('th', '', row[1]);
      title.scope = 'row';
      if (isOther) { title.append(' ', make('span', 'differs-mark', say('differs'))); }
      const best = better(row, ids);
      line.append(title, ...ids.map((id) => cell(id, row, best)));
      return line;
    });
  }

  /** @type {AtlasScripts['compare']['show']} */
  function show(asked, focus) {
    const ids = asked.filter((id) => id in find().records || Atlas.found?.may(id));
    Atlas.page.state.compare = ids;
    if (ids.some((id) => !Atlas.narrow.of(id))) {
      Atlas.found?.ready(ids).then(() => show(Atlas.page.state.compare, focus));
      return;
    }
    // the sheet has the words of both languages, which those of tiled records do not
    byId('compare-print').hidden = ids.some((id) => !(id in find().records));
    const box = byId('compare');
    box.hidden = ids.length < 2;
    if (box.hidden) { return; }
    const top = make('thead');
    top.append(head(ids));
    const rest = make('tbody');
    rest.append(...body(ids));
    const title = byId('compare-title');
    byId('compare-table').replaceChildren(top, rest);
    if (focus) {
      back = /** @type {HTMLElement} */ (document.activeElement);
      title.focus();
      box.scrollIntoView({ block: 'start' });
    }
  }

  /** @param {string} id */
  function remove(id) {
    const ids = Atlas.page.state.compare.filter((one) => one !== id);
    if (ids.length < 2) {
      close();
      return;
    }
    show(ids, false);
    byId('compare-title').focus();
    Atlas.page.save();
  }

  function close() {
    byId('compare').hidden = true;
    Atlas.page.state.compare = [];
    (back && back.isConnected && back.offsetParent ? back : input('search')).focus();
    back = null;
    Atlas.page.save();
  }

  /* The sheet's scripts and styles come with the first print. */
  async function print() {
    const addresses = (byId('paper').dataset.sheet || '').split(' ');
    try {
      await Promise.all(addresses.map(Atlas.page.load));
    } catch {
      tell(say('not_loaded'));
      return;
    }
    const root = document.documentElement;
    Atlas.paper.fill(Atlas.page.state.compare);
    byId('paper').hidden = false;
    root.classList.add('prints-compare');
    addEventListener('afterprint', () => {
      root.classList.remove('prints-compare');
      byId('paper').hidden = true;
    }, { once: true });
    globalThis.print();
  }

  byId('compare-close').addEventListener('click', close);
  byId('compare-print').addEventListener('click', print);
  input('compare-only').addEventListener('change', () => {
    byId('compare-table').classList.toggle('only-differs', input('compare-only').checked);
  });

  return { show, close, better };
})();
