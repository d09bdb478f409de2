/* Finds tiled records by name, and hands them to the shortlist and the comparison. */
'use strict';
Atlas.found = (() => {
  const { find } = Atlas.base;
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
      (find().others ||= {})[id] = foundOf(await Atlas.big.details(n));
    } catch {
      strange.add(id);
    }
  }

  /* A tiled record's details as the cells of a comparison. */
  /** @param {any} one @returns {Found} */
  function foundOf(one) {
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
    return { name: one.name, table: one.table, kind: one.kind, says: one.says, inside: '', is: {}, numbers: {}, near: {}, to: {}, years: '', money: [], cells, carry: [] };
  }

  /* The tiled routes that one may ask to be near to: the open one, those listed, the one asked for. */
  function routes() {
    const { state } = Atlas.page;
    const ids = [...new Set([state.id, state.route, ...(state.shortlist || [])])];
    return ids.flatMap((id) => {
      const other = find().others?.[id];
      return other?.table === 'routes' ? [/** @type {[string, string]} */ ([id, other.name])] : [];
    });
  }

  return { search, may, ready, routes };
})();
