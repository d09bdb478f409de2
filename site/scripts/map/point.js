/* A point that the reader types: WGS 84 or VN-2000, how far everything is from it. */
'use strict';
Atlas.point = (() => {
  const { make, button, byId, input, say, number, find } = Atlas.base;
  const DEGREE = 3;
  const UNIT_M = 100000;
  const METRIC = 100000; // a number of this size is metres
  const CLOSE_ZOOM = 11;
  const SPAN = /(\d{1,3}(?:[.,]\d+)?)\s*(?:[°º]\s*(?:(\d{1,2}(?:[.,]\d+)?)\s*['′’]\s*(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:["″”]|''))?)?)?/g;
  const METRES = /\d{1,3}([.,\u00a0 ])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d{1,3})?(?!\d)|\d{6,8}(?:[.,]\d{1,3})?(?!\d)/g;

  const AXES = /vn-?2000|wgs ?-?84|epsg:\d+|latitude|longitude|lat|lng|lon|vĩ độ|kinh độ|bắc|đông|north|east/gi;

  /** @type {L.LayerGroup | null} */
  let marker = null;
  let stands = '';

  /** @param {string} text */
  const decimal = (text) => Number(text.replace(',', '.'));

  /* A grouped number of metres; its groups and its decimals have different signs. */
  /** @param {string} text @param {string | undefined} group */
  const metres = (text, group) => decimal(group ? text.split(group).join('') : text);

  /** @param {number} easting @param {number} northing @returns {At} */
  function degrees(easting, northing) {
    const { centre, latitude, longitude } = find().grid;
    const [u, v] = [(easting - centre[0]) / UNIT_M, (northing - centre[1]) / UNIT_M];
    /** @type {number[]} */
    const terms = [];
    for (let i = 0; i <= DEGREE; i += 1) {
      for (let j = 0; j <= DEGREE - i; j += 1) { terms.push(u ** i * v ** j); }
    }
    /** @param {number[]} numbers */
    const sum = (numbers) => numbers.reduce((all, one, i) => all + one * terms[i], 0);
    return [sum(latitude), sum(longitude)];
  }

  /* North is the larger number: the zone's eastings stay below a million. */
  /** @param {string} text @returns {Typed | null} */
  function metric(text) {
    const found = [...text.matchAll(METRES)].map((one) => metres(one[0], one[1]));
    if (found.length !== 2 || found.some((one) => one < METRIC)) { return null; }
    const [northing, easting] = [Math.max(...found), Math.min(...found)];
    const how = say('point_vn', { north: number(northing, 0), east: number(easting, 0) });
    return { at: degrees(easting, northing), how };
  }

  /* Latitude first, unless letters or sizes say otherwise; N and B are north, E and Đ east. Two
     whole numbers without any sign are no coordinate. */
  /** @param {string} text @returns {Typed | null} */
  function angular(text) {
    const found = [...text.matchAll(SPAN)].filter((one) => one[0].trim());
    const isTold = /[°º]|[NBEĐD]/i.test(text) || found.every(([, whole]) => /[.,]/.test(whole));
    if (found.length !== 2 || !isTold) { return null; }
    const [first, second] = found.map(([, whole, minutes, seconds]) => (
      decimal(whole) + decimal(minutes || '0') / 60 + decimal(seconds || '0') / 3600
    ));
    const letters = text.toUpperCase().replace(/[^NBEĐD]/g, '');
    const isTurned = /^[EĐD]/.test(letters) || first > 90;
    return { at: isTurned ? [second, first] : [first, second], how: 'WGS 84' };
  }

  /* Names hold letters; a coordinate holds two numbers, signs, and the letters that name its axes. */
  /** @type {AtlasScripts['point']['read']} */
  function read(text) {
    const bare = text.normalize('NFC').replace(AXES, ' ');
    if (/[^\d\s.,;:/()=°º'′’"″”NBEĐDXYmnbeđdxy-]/.test(bare) || !/\d/.test(bare)) { return null; }
    const told = metric(bare) || (/\d{6}/.test(bare) ? null : angular(bare));
    if (!told) { return null; }
    const [west, south, east, north] = find().grid.limit;
    const [latitude, longitude] = told.at || [0, 0];
    const isInside = latitude >= south && latitude <= north && longitude >= west && longitude <= east;
    return isInside ? told : { at: null, how: say('point_outside') };
  }

  /** @param {At} at */
  const written = ([latitude, longitude]) => say('point_at', { latitude: number(latitude, 5), longitude: number(longitude, 5) });

  /* Metres to a degree, which at one latitude is exact to a few in ten thousand. */
  /** @param {At} from @param {At} to @returns {[number, number]} */
  function flat(from, to) {
    const angle = (from[0] * Math.PI) / 180;
    const north = 111132.92 - 559.82 * Math.cos(2 * angle);
    const east = 111412.84 * Math.cos(angle) - 93.5 * Math.cos(3 * angle);
    return [(to[1] - from[1]) * east, (to[0] - from[0]) * north];
  }

  /** @param {At} from @param {At} a @param {At} b */
  function toSegment(from, a, b) {
    const [[x, y], [p, q]] = [flat(from, a), flat(from, b)];
    const length = (p - x) ** 2 + (q - y) ** 2;
    const share = length ? Math.min(1, Math.max(0, -(x * (p - x) + y * (q - y)) / length)) : 0;
    return Math.hypot(x + share * (p - x), y + share * (q - y));
  }

  /** @param {At} from @param {At[]} line */
  const toLine = (from, line) => Math.min(...line.map((at, i) => toSegment(from, at, line[Math.min(i + 1, line.length - 1)])));

  /** @param {At} from @param {At[][]} rings */
  function isWithin(from, rings) {
    return rings.flatMap((ring) => ring.map((a, i) => [a, ring[(i + 1) % ring.length]])).filter(([a, b]) => (
      (a[0] > from[0]) !== (b[0] > from[0])
      && from[1] < ((b[1] - a[1]) * (from[0] - a[0])) / (b[0] - a[0]) + a[1]
    )).length % 2 === 1;
  }

  /* The least and the most, as far as the record's own error leaves it open. */
  /** @param {string} id @param {At} from @returns {Bounds | undefined} */
  function bounds(id, from) {
    const { carried, records } = find();
    const found = records[id];
    /** @param {string} name */
    const told = (name) => found.carry[carried.indexOf(name)];
    const [longitude, latitude, doubt] = ['longitude', 'latitude', 'accuracy_m'].map((name) => Number(told(name)));
    if (found.is.accuracy.includes('unplaced') || told('longitude') === '') { return undefined; }
    const drawn = Atlas.draw.records[id];
    const rings = drawn?.rings || [];
    const lines = drawn?.lines || rings.flat();
    const near = lines.length ? Math.min(...lines.map((line) => toLine(from, line))) : Math.hypot(...flat(from, [latitude, longitude]));
    const metres = rings.some((part) => isWithin(from, part)) ? 0 : near;
    return [Math.floor(Math.max(0, metres - doubt) / 100) / 10, Math.ceil((metres + doubt) / 100) / 10];
  }

  /* Called before each drawing: measures anew where the point is another one. */
  function show() {
    const { at } = Atlas.page.state;
    if (String(at) === stands) { return; }
    stands = String(at);
    Object.entries(find().records).forEach(([id, found]) => { found.point = at ? bounds(id, at) : undefined; });
    marker?.remove();
    const line = byId('point');
    line.hidden = !at;
    line.replaceChildren();
    if (!at) { return; }
    const spot = L.circleMarker(at, { radius: 7, className: 'typed-spot', interactive: false });
    marker = L.layerGroup([spot, Atlas.draw.named(at, say('point'), 'typed')]).addTo(Atlas.page.map);
    line.append(say('point_line', { at: written(at) }), ' ', button(say('point_remove'), () => {
      set(null);
      input('search').focus();
    }));
  }

  /** @type {AtlasScripts['point']['set']} */
  function set(at) {
    const { state, map } = Atlas.page;
    state.at = at;
    state.sort = at ? 'point' : 'kind';
    if (!at) { delete state.range.point; }
    if (at) { map.setView(at, Math.max(map.getZoom(), CLOSE_ZOOM), { animate: false }); }
    Atlas.browse.changed();
  }

  /** @type {AtlasScripts['point']['option']} */
  function option({ at, how }) {
    const item = make('div', 'option', at ? written(at) : how);
    item.id = 'found-point';
    item.setAttribute('role', 'option');
    item.setAttribute('aria-selected', 'false');
    if (at) {
      item.dataset.at = at.join('/');
      item.append(make('span', 'why', how));
    }
    return item;
  }

  return { read, set, show, option };
})();
