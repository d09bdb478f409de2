/* A vector tile as typed arrays: of each feature its number, look, radius, kind of shape, corners. */
'use strict';
Atlas.mvt = (() => {
  const [VARINT, , BYTES] = [0, 1, 2];
  const [LAYER, NAME_OF_KEY, VALUE, FEATURE] = [3, 3, 4, 2];
  const [ID, TAGS, TYPE, GEOMETRY] = [1, 2, 3, 4];
  const [MOVE, LINE, CLOSE] = [1, 2, 7];

  class Reader {
    /** @param {Uint8Array} bytes @param {number} [at] @param {number} [end] */
    constructor(bytes, at = 0, end = bytes.length) {
      Object.assign(this, { bytes, at, end });
      this.bytes = bytes;
      this.at = at;
      this.end = end;
    }

    /* Numbers beyond 32 bits are put together without bit operations. */
    number() {
      let value = 0;
      let step = 1;
      for (;;) {
        const byte = this.bytes[this.at++];
        value += (byte & 0x7f) * step;
        if (byte < 0x80 || this.at >= this.end) { return value; }
        step *= 128;
      }
    }

    part() {
      const length = this.number();
      const part = new Reader(this.bytes, this.at, this.at + length);
      this.at += length;
      return part;
    }

    /* Calls back for each field: its number, and a number or a part. */
    /** @param {(field: number, value: number, part: Reader | null) => void} take */
    each(take) {
      while (this.at < this.end) {
        const tag = this.number();
        if ((tag & 7) === BYTES) { take(tag >> 3, 0, this.part()); } else if ((tag & 7) === VARINT) { take(tag >> 3, this.number(), null); } else { return; }
      }
    }
  }

  /** @param {ArrayBuffer} buffer @returns {TileFeature[]} */
  function decode(buffer) {
    /** @type {TileFeature[]} */
    const features = [];
    new Reader(new Uint8Array(buffer)).each((field, _, part) => {
      if (field === LAYER && part) { layer(part, features); }
    });
    return features;
  }

  /** @param {Reader} reader @param {TileFeature[]} features */
  function layer(reader, features) {
    /** @type {string[]} */
    const keys = [];
    /** @type {(number | string)[]} */
    const values = [];
    /** @type {Reader[]} */
    const parts = [];
    reader.each((field, _, part) => {
      if (!part) { return; }
      if (field === NAME_OF_KEY) { keys.push(text(part)); }
      if (field === VALUE) { values.push(valueOf(part)); }
      if (field === FEATURE) { parts.push(part); }
    });
    parts.forEach((part) => features.push(feature(part, keys, values)));
  }

  /** @param {Reader} part */
  const text = (part) => new TextDecoder().decode(part.bytes.subarray(part.at, part.end));

  /* Only texts and whole numbers are written into our tiles. */
  /** @param {Reader} part */
  function valueOf(part) {
    /** @type {number | string} */
    let told = 0;
    part.each((field, value, inner) => {
      if (inner) { told = text(inner); } else { told = field === 6 ? (value % 2 ? -(value + 1) / 2 : value / 2) : value; }
    });
    return told;
  }

  /** @param {Reader} part @param {string[]} keys @param {(number | string)[]} values @returns {TileFeature} */
  function feature(part, keys, values) {
    /** @type {TileFeature} */
    const told = { n: -1, look: 0, r: 0, name: '', type: 0, rings: [], box: [Infinity, Infinity, -Infinity, -Infinity] };
    part.each((field, value, inner) => {
      if (field === ID) { told.n = value; }
      if (field === TYPE) { told.type = value; }
      if (field === TAGS && inner) {
        while (inner.at < inner.end) {
          const [key, one] = [keys[inner.number()], values[inner.number()]];
          if (key === 'look') { told.look = Number(one); }
          if (key === 'r') { told.r = Number(one); }
          if (key === document.documentElement.lang) { told.name = String(one); }
        }
      }
      if (field === GEOMETRY && inner) { shape(inner, told); }
    });
    return told;
  }

  /** @param {Reader} reader @param {TileFeature} told */
  function shape(reader, told) {
    let [x, y] = [0, 0];
    /** @type {number[]} */
    let ring = [];
    const { box, rings } = told;
    const zigzag = () => {
      const value = reader.number();
      return value % 2 ? -(value + 1) / 2 : value / 2;
    };
    while (reader.at < reader.end) {
      const order = reader.number();
      const [command, count] = [order & 7, order >> 3];
      if (command === CLOSE) { continue; }
      for (let i = 0; i < count; i += 1) {
        x += zigzag();
        y += zigzag();
        if (command === MOVE) { rings.push(ring = []); }
        if (command === MOVE || command === LINE) { ring.push(x, y); }
        if (x < box[0]) { box[0] = x; }
        if (y < box[1]) { box[1] = y; }
        if (x > box[2]) { box[2] = x; }
        if (y > box[3]) { box[3] = y; }
      }
    }
  }

  return { decode };
})();
