/* How far tiled records are from a typed point or a chosen route: at least, and at most. */
'use strict';
Atlas.spans = (() => {
  const { find } = Atlas.base;
  const FINE_ZOOM = 24;
  const REACH_M = 60000; // from a route no distance beyond this is told, as in the other layers
  const EARTH_M = 6371000;
  const NONE = 2 ** 32 - 1;
  const HUNDRED_M = 100;
  const FLAT = 3e-4; // what a flat ground costs, of the distance
  const ROUNDING_M = 2;
  const DEGREE = Math.PI / 180;
  /** @type {Record<string, string>} */
  const done = { point: '', away: '' };

  /* Metres in a degree of latitude and of longitude. */
  /** @param {number} latitude @returns {[number, number]} */
  function degree(latitude) {
    const angle = latitude * DEGREE;
    return [111132.92 - 559.82 * Math.cos(2 * angle), 111412.84 * Math.cos(angle) - 93.5 * Math.cos(3 * angle)];
  }

  /* Metres from a point to lines (corner pairs in a row), on the ground flattened around it. */
  /** @param {number} latitude @param {number} longitude @param {Float64Array} ends */
  function toLines(latitude, longitude, ends) {
    const [up, across] = degree(latitude);
    let least = Infinity;
    for (let i = 0; i < ends.length; i += 4) {
      const [x, y] = [(ends[i + 1] - longitude) * across, (ends[i] - latitude) * up];
      const [u, v] = [(ends[i + 3] - longitude) * across - x, (ends[i + 2] - latitude) * up - y];
      const length = u * u + v * v;
      const share = length ? Math.min(1, Math.max(0, -(x * u + y * v) / length)) : 0;
      least = Math.min(least, (x + share * u) ** 2 + (y + share * v) ** 2);
    }
    return Math.sqrt(least);
  }

  /** @param {number} latitude @param {number} longitude @param {At} at */
  function toPoint(latitude, longitude, at) {
    const [up, across] = degree((latitude + at[0]) / 2);
    return Math.hypot((at[1] - longitude) * across, (at[0] - latitude) * up);
  }

  /* The ends of a distance in tenths of a kilometre: rounded outward, the errors added. */
  /** @param {number} metres @param {number} latitude @param {number} doubt @param {number} extent @returns {Bounds} */
  function ends(metres, latitude, doubt, extent) {
    const bent = (metres * metres * Math.abs(Math.tan(latitude * DEGREE))) / (2 * EARTH_M);
    const error = doubt + ROUNDING_M + FLAT * metres + bent;
    return [Math.floor(Math.max(0, metres - extent - error) / HUNDRED_M), Math.ceil((metres + error) / HUNDRED_M)];
  }

  /* Distances to a route are told of places alone, as in the other layers. */
  /** @param {string} name @param {(latitude: number, longitude: number) => number} far @param {number} its @param {number} reach */
  async function fill(name, far, its, reach) {
    const columns = /** @type {TiledColumns} */ (Atlas.columns);
    const { px, py, doubt, extent, kind } = await columns.need(['px', 'py', 'doubt', 'extent', 'kind']);
    const isAsked = columns.keysOf('kind').map(([one]) => name === 'point' || !Atlas.big.isRoute(one));
    const [low, high] = [new Uint32Array(px.length).fill(NONE), new Uint32Array(px.length).fill(NONE)];
    const size = 2 ** FINE_ZOOM;
    let [most, known] = [0, 0];
    await columns.each((from, to) => {
      for (let n = from; n < to; n += 1) {
        if (px[n] === NONE || !isAsked[kind[n]]) { continue; }
        const latitude = Math.atan(Math.sinh(Math.PI * (1 - (2 * (py[n] + 0.5)) / size))) / DEGREE;
        const metres = far(latitude, ((px[n] + 0.5) / size) * 360 - 180);
        if (metres - extent[n] > reach) { continue; }
        [low[n], high[n]] = ends(metres, latitude, doubt[n] + its, extent[n]);
        most = Math.max(most, high[n]);
        known += 1;
      }
    });
    const told = { file: '', bytes: 4, decimals: 1, most: most / 10, known };
    columns.put(`${name}_least`, low, told);
    columns.put(`${name}_most`, high, told);
  }

  /* A route's line and how far it may be off: of a small layer as it is drawn, of a tiled one from
     its file; null where it has none. */
  /** @param {string} id @returns {Promise<{ ends: Float64Array, doubt: number } | null>} */
  async function line(id) {
    const { records, carried } = find();
    const own = records[id];
    if (own) {
      const lines = Atlas.draw.records[id]?.lines;
      return lines ? { ends: segments(lines), doubt: Number(own.carry[carried.indexOf('accuracy_m')]) } : null;
    }
    const n = await Atlas.big.numberOf(id);
    if (n === undefined) { return null; }
    const [{ doubt }, shape] = await Promise.all([/** @type {TiledColumns} */ (Atlas.columns).need(['doubt']), Atlas.taken.shape(n)]);
    return shape?.lines ? { ends: segments(shape.lines), doubt: doubt[n] } : null;
  }

  /** @param {At[][]} lines */
  const segments = (lines) => Float64Array.from(lines.flatMap((one) => one.slice(1).flatMap((at, i) => [...one[i], ...at])));

  /* Far from all its corners nothing is measured. */
  /** @param {Float64Array} ends */
  function near(ends) {
    const pad = (2 * REACH_M) / 111000;
    const [latitudes, longitudes] = [0, 1].map((i) => ends.filter((_, place) => place % 2 === i));
    /** @param {Float64Array} all */
    const edges = (all) => [all.reduce((a, b) => Math.min(a, b)) - pad, all.reduce((a, b) => Math.max(a, b)) + pad];
    const [[south, north], [west, east]] = [edges(latitudes), edges(longitudes)];
    return (/** @type {number} */ latitude, /** @type {number} */ longitude) => latitude > south && latitude < north && longitude > west && longitude < east;
  }

  /* Of the records of small layers, whose distances to small layers' routes came with them. */
  /** @param {string} route @param {Float64Array} line @param {number} its */
  function others(route, line, its) {
    const { records, carried } = find();
    const [lon, lat, doubt] = ['longitude', 'latitude', 'accuracy_m'].map((name) => carried.indexOf(name));
    Object.entries(records).forEach(([id, found]) => {
      const [longitude, latitude] = [found.carry[lon], found.carry[lat]].map(Number);
      if (found.table !== 'places' || found.carry[lon] === '' || found.is.accuracy.includes('unplaced')) { return; }
      const corners = (Atlas.draw.records[id]?.rings || []).flat(2);
      const extent = Math.max(0, ...corners.map((at) => toPoint(latitude, longitude, at)));
      const metres = toLines(latitude, longitude, line);
      if (metres - extent > REACH_M) { return; }
      const [least, most] = ends(metres, latitude, Number(found.carry[doubt]) + its, extent);
      found.to[route] = [least / 10, most / 10];
    });
  }

  /** @param {State} state */
  async function point({ at }) {
    if (!at || done.point === String(at)) { return; }
    await fill('point', (latitude, longitude) => toPoint(latitude, longitude, at), 0, Infinity);
    done.point = String(at);
  }

  /** @param {State} state */
  async function away({ route }) {
    if (!route || done.away === route) { return; }
    const found = await line(route);
    const its = found?.doubt || 0;
    const ground = found?.ends.length ? found.ends : null;
    const isNear = ground ? near(ground) : () => false;
    const far = (/** @type {number} */ latitude, /** @type {number} */ longitude) => (ground && isNear(latitude, longitude) ? toLines(latitude, longitude, ground) : Infinity);
    await fill('away', far, its, REACH_M);
    if (ground && !(route in find().records)) { others(route, ground, its); }
    done.away = route;
  }

  /* Measures anew what the reader asks for another way than before. */
  /** @param {State} state */
  const measure = (state) => Promise.all([point(state), away(state)]);

  return { measure };
})();
