/* What the filters leave of tiled records: in the order of the list, and its money added up. */
'use strict';
Atlas.order = (() => {
  const { find } = Atlas.base;
  const { need, each, about, top, step, keysOf, isOut, isNarrowed, sums } = /** @type {TiledColumns} */ (Atlas.columns);
  const SPANS = ['away', 'point'];
  const UNKNOWN = 'not_known';

  /* The money of what is left, kinds and units apart, and how many have none. */
  /** @type {AtlasScripts['order']['money']} */
  async function money() {
    const names = Object.keys(find().tiled || {}).filter((name) => name.startsWith('money_'));
    const told = names.map((name) => /** @type {TiledColumn} */ (about(name)));
    if (!isNarrowed()) {
      const without = told.length ? told[0].without || 0 : sums().shown;
      return { money: told.map(({ kind = '', unit = '', sum = [0, 0] }) => [kind, unit, ...sum]), without };
    }
    const held = await need(names);
    const [columns, nones] = [names.map((name) => held[name]), names.map(top)];
    const totals = names.map(() => [0, 0]);
    let without = 0;
    await each((from, to) => {
      for (let n = from; n < to; n += 1) {
        if (isOut(n)) { continue; }
        let has = false;
        for (let i = 0; i < columns.length; i += 1) {
          const value = columns[i][n];
          if (value === nones[i]) { continue; }
          totals[i][0] += value;
          totals[i][1] += 1;
          has = true;
        }
        if (!has) { without += 1; }
      }
    });
    const added = totals.map(([sum, many], i) => /** @type {[string, string, number, number]} */ ([told[i].kind || '', told[i].unit || '', sum / step(names[i]), many]));
    return { money: added.filter(([, , , many]) => many), without };
  }

  /* What the list is ordered by: a number of each record, the least first, Infinity: not known. */
  /** @param {State} state @returns {Promise<(n: number) => number>} */
  async function orderBy({ sort, sure }) {
    const { lang, choices } = find();
    const rank = `rank_${lang}`;
    const spans = SPANS.includes(sort);
    const names = spans ? [`${sort}_least`, `${sort}_most`] : sort === 'kind' ? ['kind', rank] : [sort === 'name' ? rank : sort];
    const held = await need(names);
    const [least, second] = names.map((name) => held[name]);
    if (!least) { return () => 0; }
    if (sort === 'name') { return (n) => least[n]; }
    if (sort === 'kind') {
      const places = keysOf('kind').map(([key]) => choices.kind.findIndex(([one]) => one === key));
      return (n) => places[least[n]] * 2 ** 32 + second[n];
    }
    if (sort === 'stage' || sort === 'schedule') {
      const places = keysOf(sort).map(([key]) => choices[sort].findIndex(([one]) => one === (key || UNKNOWN)));
      return (n) => places[least[n]];
    }
    const none = top(names[0]);
    if (!spans) { return (n) => (least[n] === none ? Infinity : -least[n]); }
    if (sort === 'away') { return (n) => (second[n] === none ? Infinity : sure ? second[n] : least[n] + second[n] / 1000); }
    return (n) => (second[n] === none ? Infinity : least[n] + second[n]);
  }

  /* The first of what is left in the order of the list, and how many are left. */
  /** @type {AtlasScripts['order']['first']} */
  async function first(many) {
    const key = await orderBy(Atlas.page.state);
    /** @type {[number, number][]} */
    const best = [];
    let all = 0;
    await each((from, to) => {
      for (let n = from; n < to; n += 1) {
        if (isOut(n)) { continue; }
        all += 1;
        const value = key(n);
        if (best.length === many && value >= best[many - 1][0]) { continue; }
        let place = best.length;
        while (place && best[place - 1][0] > value) { place -= 1; }
        best.splice(place, 0, [value, n]);
        if (best.length > many) { best.pop(); }
      }
    });
    return { numbers: best.map(([, n]) => n), all };
  }

  /* All that is left in the order of the list. */
  /** @type {AtlasScripts['order']['left']} */
  async function left() {
    const key = await orderBy(Atlas.page.state);
    /** @type {number[]} */
    const numbers = [];
    await each((from, to) => { for (let n = from; n < to; n += 1) { if (!isOut(n)) { numbers.push(n); } } });
    // equal keys, two that are not known too, stand in the order of their numbers
    return numbers.sort((a, b) => { const [x, y] = [key(a), key(b)]; return x === y ? a - b : x - y; });
  }

  /* A record's distance, kilometres at least and at most. */
  /** @type {AtlasScripts['order']['span']} */
  function span(name, n) {
    const [low, high] = [`${name}_least`, `${name}_most`];
    const held = Atlas.columns?.held || {};
    if (!held[high] || held[high][n] === top(high)) { return undefined; }
    return [held[low][n] / step(low), held[high][n] / step(high)];
  }

  return { money, first, left, span };
})();
