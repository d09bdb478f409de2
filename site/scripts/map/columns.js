/* Narrows tiled records: a number a record in each column, a pass over it for each filter. */
'use strict';
Atlas.columns = (() => {
  const { find } = Atlas.base;
  const { RANGES } = Atlas.hash;
  const SPANS = ['road', 'canal', 'port', 'away', 'point'];
  const SPOT_ZOOM = 16;
  const UNKNOWN = 'not_known';
  const SLICE = 65536;
  const SLICE_MS = 12;
  /** @type {Record<string, Numbers>} */
  const held = {};
  /** @type {Record<string, TiledColumn>} */
  const measured = {};
  /** @type {Record<string, string[][]>} */
  const keySets = {};
  /** @type {TiledColumns['about']} */
  const about = (name) => measured[name] || find().tiled?.[name];
  const count = () => Atlas.big.told.counts.reduce((sum, one) => sum + one, 0);

  /** @returns {TiledResult} */
  function nothing() {
    const all = Atlas.big.told.counts.reduce((sum, one) => sum + one, 0);
    const places = Atlas.big.told.counts.reduce((sum, one, i) => sum + (Atlas.big.isRoute(Atlas.big.told.kinds[i]) ? 0 : one), 0);
    return { filters: [], fails: null, which: null, shown: all, places, all, lost: {}, hectares: 0, withArea: 0, inside: about('inside')?.known || 0 };
  }

  let result = nothing();
  let asked = '';
  let round = 0;

  /** @param {string} name */
  async function fetchOne(name) {
    const { file, bytes, sets } = /** @type {TiledColumn} */ (about(name));
    const parts = [Atlas.source.bytes(file), typeof sets === 'string' ? Atlas.source.json(sets) : sets];
    const [content, keys] = await Promise.all(parts);
    held[name] = bytes === 1 ? new Uint8Array(content) : bytes === 2 ? new Uint16Array(content) : bytes === 4 ? new Uint32Array(content) : new Float64Array(content);
    if (keys) { keySets[name] = keys; }
  }

  /** @type {TiledColumns['need']} */
  async function need(names) {
    await Promise.all([...new Set(names)].filter((name) => about(name) && !held[name]).map(fetchOne));
    return held;
  }

  /* What the browser measured itself stands beside the published columns. */
  /** @type {TiledColumns['put']} */
  function put(name, numbers, told) {
    held[name] = numbers;
    measured[name] = told;
  }

  const pause = () => new Promise((resolve) => { setTimeout(resolve); });

  /* Slice by slice, so that the page answers however many there are. */
  /** @type {TiledColumns['each']} */
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
  const isByYear = (name, state) => name === 'stage' && state.year !== null;

  /* The columns that a filter reads: of a distance both its ends. */
  /** @param {string} name @param {State} state */
  function columnsOf(name, state) {
    if (isByYear(name, state)) { return ['years']; }
    return SPANS.includes(name) ? [`${name}_least`, `${name}_most`] : [name];
  }

  /* The keys of each code of a facet: of the stage in a chosen year, those of that year. */
  /** @param {string} name @param {State} state @returns {string[][]} */
  function sets(name, state) {
    if (isByYear(name, state)) {
      return (about('years')?.marks || []).map((marks) => {
        const key = groupOf(marks[yearPlace(state)] || '-');
        return key === UNKNOWN ? [] : [key];
      });
    }
    return keySets[name] || [];
  }

  /** @param {string} name */
  function top(name) {
    const { bytes = 4 } = about(name) || {};
    return bytes === 8 ? -1 : 2 ** (8 * bytes) - 1;
  }

  /** @param {string} name */
  const step = (name) => 10 ** (about(name)?.decimals || 0);

  /* What a filter lets pass: a test of one record's number. */
  /** @param {string} name @param {State} state @returns {(n: number) => boolean} */
  function test(name, state) {
    if (name === 'view') { return inView(); }
    if (RANGES.includes(name)) { return inRange(name, state); }
    const wanted = state.choose[name];
    const values = held[columnsOf(name, state)[0]];
    if (!values) { return () => wanted.includes(UNKNOWN); }
    const passes = sets(name, state).map((keys) => (keys.length ? keys.some((key) => wanted.includes(key)) : wanted.includes(UNKNOWN)));
    return (n) => passes[values[n]] || false;
  }

  /* Without "for certain" a distance passes when it may lie in the range. */
  /** @param {string} name @param {State} state @returns {(n: number) => boolean} */
  function inRange(name, state) {
    const { least, most, known } = state.range[name];
    const ends = columnsOf(name, state);
    const [first, last] = [ends[0], ends[ends.length - 1]];
    const [lows, highs] = [held[first], held[last]];
    if (!lows || !highs) { return () => !known; }
    const [none, from, to] = [top(last), (least ?? -1) - 1e-9, (most ?? Infinity) + 1e-9];
    const [lowStep, highStep] = [step(first), step(last)];
    return (n) => {
      if (highs[n] === none) { return !known; }
      const [low, high] = [lows[n] / lowStep, highs[n] / highStep];
      return state.sure ? low >= from && high <= to : high >= from && low <= to;
    };
  }

  /** @returns {(n: number) => boolean} */
  function inView() {
    const { map } = Atlas.page;
    const bounds = map.getBounds();
    const corner = (/** @type {L.LatLng} */ at) => L.CRS.EPSG3857.latLngToPoint(at, SPOT_ZOOM).divideBy(256).floor();
    const [low, high] = [corner(bounds.getNorthWest()), corner(bounds.getSouthEast())];
    const shown = Atlas.big.shown();
    const kinds = kindPlaces().map((place) => shown[place]);
    const { x, y, kind } = held;
    return (n) => kinds[kind[n]] && x[n] >= low.x && x[n] <= high.x && y[n] >= low.y && y[n] <= high.y;
  }

  /* The place of each code's kind among the tiled kinds. */
  const kindPlaces = () => keySets.kind.map(([kind]) => Atlas.big.told.kinds.indexOf(kind));

  /* Says which tiled records are left; true where that differs from the last time. */
  /** @type {TiledColumns['judge']} */
  async function judge(state) {
    const filters = Atlas.narrow.active(state);
    const { year, colour, at, route, sure, sort } = state;
    const key = JSON.stringify([filters.map((name) => [name, state.choose[name], state.range[name]]), year, colour, at, route, sure, sort, state.view && Atlas.page.map.getBounds().toBBoxString(), state.view && Atlas.big.shown()]);
    if (key === asked) { return false; }
    asked = key;
    const mine = round += 1;
    try {
      await Atlas.spans.measure(state);
      await need([...filters.flatMap((name) => columnsOf(name, state)), ...(filters.length ? ['kind', 'area', 'inside'] : []), ...(state.view ? ['x', 'y'] : []), ...(year === null ? [] : ['years']), ...(colour ? ['schedule'] : [])]);
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
    Object.assign(next, { filters, fails, which, shown: 0, places: 0, inside: 0 });
    const alone = new Uint32Array(filters.length);
    const { area, kind } = held;
    const isPlace = keySets.kind.map(([one]) => !Atlas.big.isRoute(one));
    const isInner = innerBy(fails);
    const none = top('area');
    let steps = 0;
    await each((from, to) => {
      for (let n = from; n < to; n += 1) {
        if (fails[n] === 1) { alone[which[n]] += 1; }
        if (fails[n]) { continue; }
        next.shown += 1;
        if (!isPlace[kind[n]]) { continue; }
        if (isInner(n)) {
          next.inside += 1;
          continue;
        }
        next.places += 1;
        if (area[n] !== none) {
          steps += area[n];
          next.withArea += 1;
        }
      }
    });
    next.hectares = steps / step('area');
    filters.forEach((name, i) => { next.lost[name][1] = alone[i]; });
    return next;
  }

  /* Whether a record lies in another one that is left: its area counts already. */
  /** @param {Uint8Array} fails @returns {(n: number) => boolean} */
  function innerBy(fails) {
    const { inside } = held;
    if (!inside) { return () => false; }
    const [all, none] = [count(), top('inside')];
    const shown = new Set(Atlas.browse.shown);
    const outer = (about('inside')?.outer || []).map((id) => shown.has(id));
    return (n) => inside[n] !== none && (inside[n] < all ? !fails[inside[n]] : outer[inside[n] - all]);
  }

  /* Whether a record of a small layer lies in a tiled one that is left. */
  /** @type {TiledColumns['covers']} */
  function covers(id) {
    const n = about('inside')?.held?.[id];
    return n !== undefined && !isOut(n);
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
    const passes = without(name);
    const [column] = columnsOf(name, state);
    await need([column]);
    /** @type {Record<string, number>} */
    const counts = {};
    const all = sets(name, state);
    const sums = new Uint32Array(all.length);
    const values = held[column];
    await each((from, to) => { for (let n = from; n < to; n += 1) { if (passes(n)) { sums[values[n]] += 1; } } });
    all.forEach((one, code) => (one.length ? one : [UNKNOWN]).forEach((key) => { counts[key] = (counts[key] || 0) + sums[code]; }));
    return counts;
  }

  /* A range's values in so many bins up to a top, and how many are not known; of a distance the
     end that decides. */
  /** @type {TiledColumns['bins']} */
  async function bins(name, most, many) {
    const { state } = Atlas.page;
    const counts = new Array(many).fill(0);
    const passes = without(name);
    const ends = columnsOf(name, state);
    const column = ends[state.sure ? ends.length - 1 : 0];
    let none = 0;
    await need([column]);
    const values = held[column];
    const [unknown, width] = values ? [top(column), (most * step(column)) / many] : [0, 1];
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
  async function cells(zoom, on) {
    if (!result.fails) { return null; }
    const { x, y, kind } = await need(['x', 'y', 'kind']);
    if (!result.fails) { return null; }
    cut ||= new Map();
    let made = cut.get(zoom);
    if (!made) {
      const shift = SPOT_ZOOM - zoom - on;
      const places = kindPlaces();
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

  /* The mark of the chosen year; "" without one. */
  /** @type {TiledColumns['mark']} */
  function mark(n) {
    const { year } = Atlas.page.state;
    return year === null || !held.years ? '' : (about('years')?.marks || [])[held.years[n]][yearPlace(Atlas.page.state)] || '-';
  }

  /* How a record looks in the chosen year, or by its schedule. */
  /** @type {TiledColumns['look']} */
  function look(n) {
    const told = mark(n);
    if (told) { return { stage: groupOf(told), dim: told === '-' }; }
    if (Atlas.page.state.colour && held.schedule) {
      const [key] = keySets.schedule[held.schedule[n]];
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
    const names = (about('years')?.marks || []).map((one) => one[year - find().first_year] || '-');
    const sums = new Uint32Array(names.length);
    for (let n = 0; n < values.length; n += 1) { if (!isOut(n)) { sums[values[n]] += 1; } }
    names.forEach((mark, code) => { counts[mark] = (counts[mark] || 0) + sums[code]; });
    return counts;
  }

  /* What is left, added up. */
  /** @type {TiledColumns['sums']} */
  function sums() {
    const { shown, places, all, hectares, withArea, fails, inside } = result;
    const [sum, known] = about('area')?.sum || [0, 0];
    return { shown, places: fails ? places : places - inside, all, inside, hectares: fails ? hectares : sum, withArea: fails ? withArea : known };
  }

  /** @param {string} name */
  const lost = (name) => result.lost[name] || [0, 0];
  /** @param {string} name */
  const widest = (name) => about(SPANS.includes(name) ? `${name}_most` : name);
  /** @param {string} name */
  const most = (name) => widest(name)?.most || 0;
  /** @param {string} name */
  const knows = (name) => Boolean(widest(name)?.known);
  const isNarrowed = () => Boolean(result.fails);

  /** @param {string} name */
  const keysOf = (name) => keySets[name] || [];

  return { held, judge, need, put, each, about, top, step, keysOf, keys, bins, cells, isOut, isNarrowed, covers, mark, look, marks, sums, lost, most, knows };
})();
