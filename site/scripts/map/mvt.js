/* A vector tile as arrays: of each feature its number, look, radius, kind of shape, corners. */
'use strict';
Atlas.mvt = (() => {
  const [VARINT, BYTES] = [0, 2];
  const [LAYER, NAME_OF_KEY, VALUE, FEATURE] = [3, 3, 4, 2];
  const [ID, TAGS, TYPE, GEOMETRY] = [1, 2, 3, 4];
  const [MOVE, CLOSE] = [1, 7];
  const SIGNED = 6;

  /* One place moves over the bytes of one tile: features are many, and an object for each is dear. */
  let bytes = new Uint8Array(0);
  let at = 0;

  /* Numbers beyond 32 bits are put together without bit operations. */
  function number() {
    let byte = bytes[at];
    at += 1;
    if (byte < 0x80) { return byte; }
    let value = byte & 0x7f;
    let step = 128;
    do {
      byte = bytes[at];
      at += 1;
      value += (byte & 0x7f) * step;
      step *= 128;
    } while (byte >= 0x80);
    return value;
  }

  function signed() {
    const value = number();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }

  /* Calls back for each field up to an end: its number, and a number or where its bytes end. */
  /** @param {number} end @param {(field: number, value: number, stop: number) => void} take */
  function each(end, take) {
    while (at < end) {
      const tag = number();
      const value = number();
      if ((tag & 7) === VARINT) {
        take(tag >> 3, value, 0);
      } else if ((tag & 7) === BYTES) {
        const stop = Math.min(at + value, end);
        take(tag >> 3, 0, stop);
        at = stop;
      } else {
        return;
      }
    }
  }

  /** @param {ArrayBuffer} buffer @returns {TileFeature[]} */
  function decode(buffer) {
    bytes = new Uint8Array(buffer);
    at = 0;
    /** @type {TileFeature[]} */
    const features = [];
    each(bytes.length, (field, _, stop) => {
      if (field === LAYER && stop) { layer(stop, features); }
    });
    return features;
  }

  /** @param {number} end @param {TileFeature[]} features */
  function layer(end, features) {
    /** @type {string[]} */
    const keys = [];
    /** @type {(number | string)[]} */
    const values = [];
    /** @type {[number, number][]} */
    const parts = [];
    each(end, (field, _, stop) => {
      if (!stop) { return; }
      if (field === NAME_OF_KEY) { keys.push(text(stop)); }
      if (field === VALUE) { values.push(valueOf(stop)); }
      if (field === FEATURE) { parts.push([at, stop]); }
    });
    const lang = document.documentElement.lang;
    parts.forEach(([start, stop]) => {
      at = start;
      features.push(feature(stop, keys, values, lang));
    });
  }

  /** @param {number} end */
  const text = (end) => new TextDecoder().decode(bytes.subarray(at, end));

  /* Only texts and whole numbers are written into our tiles. */
  /** @param {number} end */
  function valueOf(end) {
    /** @type {number | string} */
    let told = 0;
    each(end, (field, value, stop) => {
      if (stop) { told = text(stop); } else { told = field === SIGNED ? (value % 2 ? -(value + 1) / 2 : value / 2) : value; }
    });
    return told;
  }

  /** @param {number} end @param {string[]} keys @param {(number | string)[]} values @param {string} lang @returns {TileFeature} */
  function feature(end, keys, values, lang) {
    /** @type {TileFeature} */
    const told = { n: -1, look: 0, r: 0, name: '', type: 0, rings: [], box: [Infinity, Infinity, -Infinity, -Infinity] };
    while (at < end) {
      const tag = number();
      const value = number();
      const field = tag >> 3;
      if ((tag & 7) === VARINT) {
        if (field === ID) { told.n = value; } else if (field === TYPE) { told.type = value; }
        continue;
      }
      const stop = Math.min(at + value, end);
      if (field === TAGS) { tags(stop, told, keys, values, lang); } else if (field === GEOMETRY) { shape(stop, told); }
      at = stop;
    }
    return told;
  }

  /** @param {number} end @param {TileFeature} told @param {string[]} keys @param {(number | string)[]} values @param {string} lang */
  function tags(end, told, keys, values, lang) {
    while (at < end) {
      const key = keys[number()];
      const value = values[number()];
      if (key === 'look') { told.look = Number(value); } else if (key === 'r') { told.r = Number(value); } else if (key === lang) { told.name = String(value); }
    }
  }

  /** @param {number} end @param {TileFeature} told */
  function shape(end, { box, rings }) {
    let [x, y] = [0, 0];
    let [west, north, east, south] = box;
    /** @type {number[]} */
    let ring = [];
    while (at < end) {
      const order = number();
      const command = order & 7;
      if (command === CLOSE) { continue; }
      for (let i = order >> 3; i > 0 && at < end; i -= 1) {
        x += signed();
        y += signed();
        if (command === MOVE) { rings.push(ring = []); }
        ring.push(x, y);
        if (x < west) { west = x; }
        if (y < north) { north = y; }
        if (x > east) { east = x; }
        if (y > south) { south = y; }
      }
    }
    [box[0], box[1], box[2], box[3]] = [west, north, east, south];
  }

  return { decode };
})();
