/* Narrows tiled records: a number a record in each column, a pass over it for each filter. */
'use strict';
Atlas.columns = (() => {
  const { find } = Atlas.base;
  const { RANGES } = Atlas.hash;
  const SPOT_ZOOM = 16;
  const UNKNOWN = 'not_known';
  const SLICE = 65536;
  const SLICE_MS = 12;
  const SEARCHED = 2;
  const FOUND = 20;
  /** @type {Record<string, Uint8Array | Uint16Array | Uint32Array>} */
  const held = {};
  /** @type {TiledResult} */
  let result = nothing();
  let asked = '';
  let round = 0;

  /** @returns {Record<string, TiledColumn>} */
  const told = () => find().tiled || {};
  const count = () => Atlas.big.told.counts.reduce((sum, one) => sum + one, 0);

  /** @returns {TiledResult} */
  function nothing() {
    const all = Atlas.big.told.counts.reduce((sum, one) => sum + one, 0);
    const places = Atlas.big.told.counts.reduce((sum, one, i) => sum + (Atlas.big.isRoute(Atlas.big.told.kinds[i]) ? 0 : one), 0);
    return { filters: [], fails: null, which: null, shown: all, places, all, lost: {}, hectares: 0, withArea: 0 };
  }

  /** @param {string[]} names */
  async function need(names) {
    await Promise.all(names.filter((name) => told()[name] && !held[name]).map(async (name) => {
      const { file, bytes } = told()[name];
      const content = await Atlas.source.bytes(file);
      held[name] = bytes === 1 ? new Uint8Array(content) : bytes === 2 ? new Uint16Array(content) : new Uint32Array(content);
    }));
  }

  const pause = () => new Promise((resolve) => { setTimeout(resolve); });

  /* Slice by slice, so that the page answers however many there are. */
  /** @param {(from: number, to: number) => void} work */
  async function each(work) {
    let begun = performance.now();
    for (let from = 0; from < count(); from += SLICE) {
      work(from, Math.min(from + SLICE, count()));
      if (performance.now() - begun > SLICE_MS) {
        await pause();
        begun = performance.now();
      }
    }
  }

  /** @param {string} mark */
  const groupOf = (mark) => Atlas.narrow.group(mark);

  /** @param {State} state */
  const yearPlace = (state) => (state.year || 0) - find().first_year;

  /** @param {string} name @param {State} state */
  const columnOf = (name, state) => (name === 'stage' && state.year !== null ? 'years' : name);

  /* The keys of each code of a facet: of the stage in a chosen year, those of that year. */
  /** @param {string} name @param {State} state @returns {string[][]} */
  function sets(name, state) {
    if (columnOf(name, state) === 'years') {
      return (told().years.marks || []).map((marks) => [groupOf(marks[yearPlace(state)] || '-')]);
    }
    return told()[name]?.sets || [];
  }

  /** @param {string} name */
  const top = (name) => 2 ** (8 * told()[name].bytes) - 1;

  /* What a filter lets pass: a test of one record's number. */
  /** @param {string} name @param {State} state @returns {(n: number) => boolean} */
  function test(name, state) {
    if (name === 'view') { return inView(); }
    if (RANGES.includes(name)) { return inRange(name, state); }
    const wanted = state.choose[name];
    const values = held[columnOf(name, state)];
    if (!values) { return () => wanted.includes(UNKNOWN); }
    const passes = sets(name, state).map((keys) => (keys.length ? keys.some((key) => wanted.includes(key)) : wanted.includes(UNKNOWN)));
    return (n) => passes[values[n]] || false;
  }

  /** @param {string} name @param {State} state @returns {(n: number) => boolean} */
  function inRange(name, state) {
    const { least, most, known } = state.range[name];
    const values = held[name];
    if (!values) { return () => !known; }
    const [none, step] = [top(name), 10 ** (told()[name].decimals || 0)];
    const [low, high] = [(least ?? -1) * step - 1e-6, (most ?? Infinity) * step + 1e-6];
    return (n) => { const value = values[n]; return value === none ? !known : value >= low && value <= high; };
  }

  /** @returns {(n: number) => boolean} */
  function inView() {
    const { map } = Atlas.page;
    const bounds = map.getBounds();
    const corner = (/** @type {L.LatLng} */ at) => L.CRS.EPSG3857.latLngToPoint(at, SPOT_ZOOM).divideBy(256).floor();
    const [low, high] = [corner(bounds.getNorthWest()), corner(bounds.getSouthEast())];
    const shown = Atlas.big.shown();
    const kinds = (told().kind.sets || []).map(([kind]) => shown[Atlas.big.told.kinds.indexOf(kind)]);
    const { x, y, kind } = held;
    return (n) => kinds[kind[n]] && x[n] >= low.x && x[n] <= high.x && y[n] >= low.y && y[n] <= high.y;
  }

  /* Says which tiled records are left; true where that differs from the last time. */
  /** @type {TiledColumns['judge']} */
  async function judge(state) {
    const filters = Atlas.narrow.active(state);
    const { year, colour } = state;
    const key = JSON.stringify([filters.map((name) => [name, state.choose[name], state.range[name]]), year, colour, state.view && Atlas.page.map.getBounds().toBBoxString(), state.view && Atlas.big.shown()]);
    if (key === asked) { return false; }
    asked = key;
    const mine = round += 1;
    try {
      await need([...filters.map((name) => columnOf(name, state)), ...(filters.length ? ['x', 'y', 'kind', 'area', 'inner'] : []), ...(year === null ? [] : ['years']), ...(colour ? ['schedule'] : [])]);
    } catch {
      asked = '';
      Atlas.base.tell(Atlas.big.say('not_loaded'));
      return false;
    }
    const next = await passed(filters, state);
    if (mine !== round) { return false; }
    result = next;
    cut = null;
    await Atlas.big.update();
    return true;
  }

  /** @param {string[]} filters @param {State} state @returns {Promise<TiledResult>} */
  async function passed(filters, state) {
    const next = nothing();
    if (!filters.length) { return next; }
    const fails = new Uint8Array(count());
    const which = new Uint8Array(count());
    for (const [i, name] of filters.entries()) {
      const passes = test(name, state);
      let out = 0;
      await each((from, to) => {
        for (let n = from; n < to; n += 1) {
          if (!passes(n)) {
            fails[n] += 1;
            which[n] = i;
            out += 1;
          }
        }
      });
      next.lost[name] = [out, 0];
    }
    Object.assign(next, { filters, fails, which, shown: 0, places: 0 });
    const alone = new Uint32Array(filters.length);
    const { area, inner, kind } = held;
    const isPlace = (told().kind.sets || []).map(([one]) => !Atlas.big.isRoute(one));
    const none = top('area');
    let steps = 0;
    await each((from, to) => {
      for (let n = from; n < to; n += 1) {
        if (fails[n] === 1) { alone[which[n]] += 1; }
        if (fails[n]) { continue; }
        next.shown += 1;
        if (!isPlace[kind[n]] || (inner && inner[n])) { continue; }
        next.places += 1;
        if (area[n] !== none) {
          steps += area[n];
          next.withArea += 1;
        }
      }
    });
    next.hectares = steps / 10 ** (told().area.decimals || 0);
    filters.forEach((name, i) => { next.lost[name][1] = alone[i]; });
    return next;
  }

  /** @param {number} n */
  const isOut = (n) => Boolean(result.fails && result.fails[n]);

  /* Whether a record would be left without one filter. */
  /** @param {string} name @returns {(n: number) => boolean} */
  function without(name) {
    const { fails, which, filters } = result;
    const place = filters.indexOf(name);
    if (!fails || !which) { return () => true; }
    return (n) => fails[n] === 0 || (fails[n] === 1 && which[n] === place);
  }

  /* How many records have each key of a facet, were its own choice lifted. */
  /** @type {TiledColumns['keys']} */
  async function keys(name) {
    const { state } = Atlas.page;
    const column = columnOf(name, state);
    const passes = without(name);
    /** @type {Record<string, number>} */
    const counts = {};
    const all = sets(name, state);
    if (!all.length) {
      let left = 0;
      await each((from, to) => { for (let n = from; n < to; n += 1) { left += Number(passes(n)); } });
      return { [UNKNOWN]: left };
    }
    await need([column]);
    const sums = new Uint32Array(all.length);
    const values = held[column];
    await each((from, to) => { for (let n = from; n < to; n += 1) { if (passes(n)) { sums[values[n]] += 1; } } });
    all.forEach((one, code) => (one.length ? one : [UNKNOWN]).forEach((key) => { counts[key] = (counts[key] || 0) + sums[code]; }));
    return counts;
  }

  /* A range's values in so many bins up to a top, and how many are not known. */
  /** @type {TiledColumns['bins']} */
  async function bins(name, most, many) {
    const counts = new Array(many).fill(0);
    const passes = without(name);
    let none = 0;
    await need([name]);
    const values = held[name];
    const [unknown, width] = values ? [top(name), (most * 10 ** (told()[name].decimals || 0)) / many] : [0, 1];
    await each((from, to) => {
      for (let n = from; n < to; n += 1) {
        if (!passes(n)) { continue; }
        if (!values || values[n] === unknown) { none += 1; } else { counts[Math.min(many - 1, Math.floor(values[n] / width))] += 1; }
      }
    });
    return { counts, none };
  }

  /** @type {Map<number, [number, number, number[]][]> | null} */
  let cut = null;

  /* The cells of the grid, of what the filters leave; null: as published. */
  /** @type {TiledColumns['cells']} */
  function cells(zoom, on) {
    const { x, y, kind } = held;
    if (!result.fails || !x || !y || !kind) { return null; }
    cut ||= new Map();
    let made = cut.get(zoom);
    if (!made) {
      const shift = SPOT_ZOOM - zoom - on;
      const places = (told().kind.sets || []).map(([one]) => Atlas.big.told.kinds.indexOf(one));
      /** @type {Map<number, [number, number, number[]]>} */
      const found = new Map();
      for (let n = 0; n < x.length; n += 1) {
        if (result.fails[n] || x[n] === 65535) { continue; }
        const [column, row] = [x[n] >> shift, y[n] >> shift];
        const key = row * 65536 + column;
        let cell = found.get(key);
        if (!cell) { found.set(key, cell = [column, row, Atlas.big.told.kinds.map(() => 0)]); }
        cell[2][places[kind[n]]] += 1;
      }
      cut.set(zoom, made = [...found.values()]);
    }
    return made;
  }

  /* How a record looks in the chosen year, or by its schedule. */
  /** @type {TiledColumns['look']} */
  function look(n) {
    const { year, colour } = Atlas.page.state;
    if (year !== null && held.years) {
      const mark = (told().years.marks || [])[held.years[n]][yearPlace(Atlas.page.state)] || '-';
      return { stage: groupOf(mark), dim: mark === '-' };
    }
    if (colour && held.schedule) {
      const [key] = (told().schedule.sets || [])[held.schedule[n]];
      return { stage: `state-${key}`, name: `tone-${key}` };
    }
    return null;
  }

  /* How many are left of each text that a year's note tells. */
  /** @type {TiledColumns['marks']} */
  function marks(year) {
    /** @type {Record<string, number>} */
    const counts = {};
    const values = held.years;
    if (!values) { return counts; }
    const names = (told().years.marks || []).map((one) => one[year - find().first_year] || '-');
    const sums = new Uint32Array(names.length);
    for (let n = 0; n < values.length; n += 1) { if (!isOut(n)) { sums[values[n]] += 1; } }
    names.forEach((mark, code) => { counts[mark] = (counts[mark] || 0) + sums[code]; });
    return counts;
  }

  /* What is left, added up. */
  /** @type {TiledColumns['sums']} */
  function sums() {
    const { shown, places, all, hectares, withArea, fails } = result;
    const [sum, known] = told().area?.sum || [0, 0];
    return { shown, places, all, hectares: fails ? hectares : sum, withArea: fails ? withArea : known };
  }

  /* The nearest names that begin so: in one or two files of the sorted index. */
  /** @type {TiledColumns['search']} */
  async function search(text) {
    const { file, firsts = [] } = told().names;
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

  /** @param {string} name */
  const lost = (name) => result.lost[name] || [0, 0];
  /** @param {string} name */
  const most = (name) => told()[name]?.most || 0;
  /** @param {string} name */
  const knows = (name) => Boolean(told()[name]?.known);

  return { search, may, ready, judge, keys, bins, cells, isOut, look, marks, sums, lost, most, knows };
})();
