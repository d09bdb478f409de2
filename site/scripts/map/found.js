/* Finds tiled records by name, and hands them to the shortlist and the comparison. */
'use strict';
Atlas.found = (() => {
  const { find, say, number } = Atlas.base;
  const NEAR = ['road', 'canal', 'port'];
  const NUMBERS = ['area_ha', 'price_usd_m2', 'occupancy_pct'];
  const SEARCHED = 2;
  const FOUND = 20;

  /* The nearest names that begin so: in one or two files of the sorted index. */
  /** @type {AtlasScripts['found']['search']} */
  async function search(text) {
    const { file = '', firsts = [] } = find().tiled?.names || {};
    if (text.length < SEARCHED) { return []; }
    let place = Math.max(0, firsts.findIndex((first) => first >= text) - 1);
    if (firsts.length && firsts[firsts.length - 1] < text) { place = firsts.length - 1; }
    /** @type {Set<number>} */
    const found = new Set();
    for (; place < firsts.length && found.size < FOUND; place += 1) {
      if (firsts[place] > `${text}\uffff`) { break; }
      const [names, numbers] = await Atlas.source.json(`${file}/${place}.bin`);
      names.forEach((/** @type {string} */ name, /** @type {number} */ i) => {
        if (name.startsWith(text) && found.size < FOUND) { found.add(numbers[i]); }
      });
    }
    return Promise.all([...found].map(Atlas.big.details));
  }

  /** @type {Set<string>} */
  const strange = new Set();

  /* Whether an id may be a tiled record's; what is not known yet is asked for. */
  /** @param {string} id */
  function may(id) {
    if (strange.has(id) || id in find().records) { return false; }
    if (!find().others?.[id]) { ready([id]).then(() => Atlas.browse.changed()); }
    return true;
  }

  /** @type {Record<string, Promise<void>>} */
  const asks = {};

  /** @param {string[]} ids */
  async function ready(ids) {
    await Promise.all(ids.filter((id) => !(id in find().records)).map((id) => (asks[id] ||= enlist(id))));
  }

  /** @param {string} id */
  async function enlist(id) {
    try {
      const n = await Atlas.big.numberOf(id);
      if (n === undefined) { throw new Error(`no record ${id}`); }
      const [one, row] = await Promise.all([Atlas.big.details(n), Atlas.taken.row(n)]);
      (find().others ||= {})[id] = foundOf(one, row);
    } catch {
      strange.add(id);
    }
  }

  /* What the row of the download tells beside the details: where it lies, how near, how complete. */
  /** @param {Record<string, any>} row @param {Record<string, Cell>} cells */
  function fill(row, cells) {
    const { choices } = find();
    [['commune', row.commune_ids], ['district', row.district_ids]].forEach(([name, ids]) => {
      const labels = new Map(choices[name]);
      const names = String(ids).split(';').flatMap((id) => labels.get(id) || []);
      if (names.length) { cells[name] = [names.join('; ')]; }
    });
    NEAR.forEach((name) => {
      const [least, most] = [row[`${name}_least_km`], row[`${name}_most_km`]];
      if (most !== '') { cells[name] = [Atlas.list.span([least, most]), say('measured'), [], '', '', [least, most]]; }
    });
    const share = row.completeness_pct;
    cells.completeness = [`${number(share)}%`, say('measured'), [], '', '', share];
    NUMBERS.forEach((name) => { if (cells[name] && row[name] !== '') { cells[name][5] = row[name]; } });
  }

  /* A tiled record's details as the cells of a comparison. */
  /** @param {any} one @param {Record<string, any>} known @returns {Found} */
  function foundOf(one, known) {
    const { documents, rows } = find();
    const cite = (/** @type {string} */ name) => [documents.indexOf(name) < 0 ? documents.push(name) - 1 : documents.indexOf(name)];
    /** @type {Record<string, Cell>} */
    const cells = { kind: [Atlas.big.told.titles[one.kind]], stage: [one.says.split(' · ').slice(1).join(' · ')], accuracy: [one.where] };
    const [promised, sources, trust] = one.against.promise;
    cells.schedule = promised ? [one.against.text, promised, cite(sources), trust] : [one.against.text];
    one.facts.forEach((/** @type {Told} */ [title, text, date, names, confidence, others]) => {
      let row = rows.find(([, its]) => its === title);
      if (!row) { rows.splice(3, 0, row = [title, title, '']); }
      cells[row[0]] = [text, date, cite(names), confidence, others];
    });
    fill(known, cells);
    return { name: one.name, table: one.table, kind: one.kind, says: one.says, inside: '', is: {}, numbers: {}, near: {}, to: {}, years: '', money: [], cells, carry: [] };
  }

  /* The tiled routes that one may ask to be near to: the open one, those listed, the one asked for. */
  function routes() {
    const { state } = Atlas.page;
    const ids = [...new Set([state.id, state.route, ...(state.shortlist || [])])];
    return ids.filter((id) => id && may(id)).flatMap((id) => {
      const other = find().others?.[id];
      return other?.table === 'routes' ? [/** @type {[string, string]} */ ([id, other.name])] : [];
    });
  }

  return { search, may, ready, routes };
})();
