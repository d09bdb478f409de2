/* Which records are left, which filter took the others out, and what those left add up to. */
'use strict';
Atlas.narrow = (() => {
  const { find } = Atlas.base;
  const { FACETS, RANGES } = Atlas.hash;
  const UNKNOWN = 'not_known';
  /** @type {Record<string, string>} */
  const MEASURE = { area: 'area_ha', price: 'price_usd_m2', occupancy: 'occupancy_pct', complete: 'completeness_pct', late: 'days_late' };
  /** @type {Record<string, string>} */
  const GROUPS = { p: 'planned', r: 'preparing', b: 'building', o: 'operating', e: 'ended', '-': UNKNOWN };

  /* A distance is known by its bounds, everything else by one number. */
  /** @type {AtlasScripts['narrow']['spanOf']} */
  function spanOf(found, name, route) {
    if (name in MEASURE) { return found.numbers[MEASURE[name]] ?? null; }
    if (name === 'point') { return found.point || null; }
    const bounds = name === 'away' ? found.to[route] : found.near[name];
    return bounds || null;
  }

  /** @param {string} mark */
  const group = (mark) => GROUPS[mark.toLowerCase()];

  /* What is told of a record, also of a tiled one that is listed. */
  /** @param {string} id @returns {Found | undefined} */
  const of = (id) => find().records[id] || find().others?.[id];

  /** @param {Found} found @param {number | null} year */
  function markOf(found, year) {
    return year === null ? '' : found.years[year - find().first_year] || '-';
  }

  /** @param {Found} found @param {string} name @param {State} state */
  function chosen(found, name, state) {
    const wanted = state.choose[name];
    const has = name === 'stage' && state.year !== null ? [group(markOf(found, state.year))] : found.is[name];
    return has.length ? has.some((key) => wanted.includes(key)) : wanted.includes(UNKNOWN);
  }

  /* Without "for certain" a distance counts when it may lie in the range. */
  /** @param {Found} found @param {string} name @param {State} state */
  function inRange(found, name, state) {
    const { least, most, known } = state.range[name];
    const span = spanOf(found, name, state.route);
    if (span === null) { return !known; }
    const [low, high] = Array.isArray(span) ? span : [span, span];
    const [from, to] = [least ?? -Infinity, most ?? Infinity];
    return state.sure ? low >= from && high <= to : high >= from && low <= to;
  }

  /* The filters that are set; a distance to a route needs the route. */
  /** @param {State} state */
  function active(state) {
    const ranges = RANGES.filter((name) => state.range[name] && (name !== 'away' || state.route) && (name !== 'point' || state.at));
    return [...FACETS.filter((name) => state.choose[name]), ...ranges, ...(state.view ? ['view'] : [])];
  }

  /** @type {AtlasScripts['narrow']['judge']} */
  function judge(state, inView) {
    const filters = active(state);
    /** @type {Record<string, Verdict>} */
    const verdicts = {};
    Object.entries(find().records).forEach(([id, found]) => {
      const by = filters.filter((name) => {
        if (name === 'view') { return !inView(id); }
        return FACETS.includes(name) ? !chosen(found, name, state) : !inRange(found, name, state);
      });
      verdicts[id] = { shown: !by.length, by, mark: markOf(found, state.year) };
    });
    return verdicts;
  }

  /** @type {AtlasScripts['narrow']['knocked']} */
  function knocked(verdicts) {
    const out = Object.values(verdicts).filter((one) => !one.shown);
    const names = [...new Set(out.flatMap((one) => one.by))];
    return names.map((name) => [
      name,
      out.filter((one) => one.by.includes(name)).length,
      out.filter((one) => one.by.length === 1 && one.by[0] === name).length
    ]);
  }

  /* What would be left without one filter. */
  /** @type {AtlasScripts['narrow']['without']} */
  function without(verdicts, filter) {
    return Object.keys(verdicts).filter((id) => verdicts[id].by.every((name) => name === filter));
  }

  /* A place inside another that is counted is not counted again; the kinds of money stay apart. */
  /** @type {AtlasScripts['narrow']['sums']} */
  function sums(ids) {
    const { records } = find();
    const places = ids.filter((id) => records[id].table === 'places');
    const outer = places.filter((id) => !ids.includes(records[id].inside) && !Atlas.columns?.covers(id));
    const areas = outer.map((id) => records[id].numbers.area_ha).filter((area) => area !== undefined);
    /** @type {Map<string, [number, number]>} */
    const money = new Map();
    ids.forEach((id) => records[id].money.forEach(([kind, unit, amount]) => {
      const [sum, count] = money.get(`${kind}\n${unit}`) || [0, 0];
      money.set(`${kind}\n${unit}`, [sum + Number(amount), count + 1]);
    }));
    return {
      count: ids.length,
      hectares: areas.reduce((sum, area) => sum + area, 0),
      withArea: areas.length,
      withoutArea: outer.length - areas.length,
      inside: places.length - outer.length,
      money: [...money].map(([key, [sum, count]]) => {
        const [kind, unit] = key.split('\n');
        return /** @type {[string, string, number, number]} */ ([kind, unit, sum, count]);
      }),
      withoutMoney: ids.filter((id) => !records[id].money.length).length
    };
  }

  return { judge, active, of, spanOf, group, sums, knocked, without };
})();
