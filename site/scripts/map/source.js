/* Reads the files of tiled layers: by ranges where the host has them, else whole; unpacks them. */
'use strict';
Atlas.source = (() => {
  const PARTIAL = 206;
  const MAGIC = 'PMTiles';
  const HEAD = 16384; // as much of an archive as its reader asks for first
  /** @type {Map<string, Promise<ArrayBuffer>>} */
  const whole = new Map();
  /** @type {Map<string, Promise<{ data: ArrayBuffer }>>} */
  const heads = new Map();

  /** @param {string} path */
  const address = (path) => `../../${path}`;

  /** @param {string} path */
  function read(path) {
    let got = whole.get(path);
    if (!got) {
      got = fetch(address(path)).then((answer) => {
        if (!answer.ok) { throw new Error(`${answer.status} for ${path}`); }
        return answer.arrayBuffer();
      });
      whole.set(path, got);
      got.catch(() => whole.delete(path));
    }
    return got;
  }

  /* A host may have unpacked it on the way. */
  /** @param {ArrayBuffer} bytes */
  async function unpacked(bytes) {
    const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
    if (first !== 0x1f || second !== 0x8b) { return bytes; }
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(stream).arrayBuffer();
  }

  /** @param {string} path */
  const bytes = async (path) => unpacked(await read(path));

  /** @param {string} path */
  async function json(path) {
    return JSON.parse(new TextDecoder().decode(await bytes(path)));
  }

  /* Some hosts know no ranges, some pack what they cut out: then the whole file is read, once. */
  class Ranged {
    /** @param {string} path */
    constructor(path) {
      this.path = path;
      this.isWhole = false;
    }

    getKey() { return this.path; }

    /** @param {number} offset @param {number} length */
    async getBytes(offset, length) {
      const first = offset === 0 && length === HEAD ? heads.get(this.path) : undefined;
      if (first) { return first; }
      this.isWhole ||= whole.has(this.path);
      if (!this.isWhole) {
        try {
          return { data: await this.part(offset, length) };
        } catch {
          this.isWhole = true;
        }
      }
      return { data: (await read(this.path)).slice(offset, offset + length) };
    }

    /** @param {number} offset @param {number} length @returns {Promise<ArrayBuffer>} */
    async part(offset, length) {
      const headers = { range: `bytes=${offset}-${offset + length - 1}` };
      const answer = await fetch(address(this.path), { headers });
      if (answer.status === PARTIAL) {
        const data = await answer.arrayBuffer();
        if (data.byteLength > length || (offset === 0 && !isArchive(data))) { throw new Error('a garbled range'); }
        return data;
      }
      if (!answer.ok) { throw new Error(`${answer.status} for ${this.path}`); }
      this.isWhole = true;
      const got = answer.arrayBuffer();
      whole.set(this.path, got);
      return (await got).slice(offset, offset + length);
    }
  }

  /* Asks for the head of an archive before its reader is there. */
  /** @param {string} path */
  function ahead(path) {
    const head = new Ranged(path).getBytes(0, HEAD);
    heads.set(path, head);
    head.catch(() => heads.delete(path));
  }

  /** @param {ArrayBuffer} data */
  const isArchive = (data) => new TextDecoder().decode(data.slice(0, MAGIC.length)) === MAGIC;

  /* A tile that cannot be unpacked came garbled: it is asked of the whole file. */
  /** @param {string} path @returns {(zoom: number, x: number, y: number) => Promise<ArrayBuffer | null>} */
  function archive(path) {
    let source = new Ranged(path);
    let reader = new pmtiles.PMTiles(source);
    return async (zoom, x, y) => {
      try {
        return (await reader.getZxy(zoom, x, y))?.data || null;
      } catch (fault) {
        if (source.isWhole && whole.has(path)) { throw fault; }
        source = new Ranged(path);
        source.isWhole = true;
        reader = new pmtiles.PMTiles(source);
        return (await reader.getZxy(zoom, x, y))?.data || null;
      }
    };
  }

  return { address, bytes, json, ahead, archive };
})();
