/* What the reader takes away of tiled records: their rows and shapes, from the files they lie in. */
'use strict';
Atlas.taken = (() => {
  const { find, number, tell } = Atlas.base;
  const MOST_ROWS = 20000;
  const MOST_FILES = 1000;
  const AT_ONCE = 8;

  /** @param {number} n */
  const fileOf = (n) => Math.floor(n / Atlas.big.told.shard);

  /* The files in which records lie, a few at a time. */
  /** @param {string} name @param {number[]} numbers @returns {Promise<Map<number, any>>} */
  async function files(name, numbers) {
    const folder = find().tiled?.[name].file;
    const wanted = [...new Set(numbers.map(fileOf))];
    /** @type {Map<number, any>} */
    const got = new Map();
    const fetchNext = async () => {
      for (let file = wanted.pop(); file !== undefined; file = wanted.pop()) {
        got.set(file, await Atlas.source.json(`${folder}/${file}.bin`));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, fetchNext));
    return got;
  }

  /** @param {{ lines?: number[][], rings?: number[][][] } | null} drawn @returns {Shape | null} */
  function unpacked(drawn) {
    if (!drawn) { return null; }
    const { corners } = Atlas.draw;
    return { lines: drawn.lines?.map(corners), rings: drawn.rings?.map((part) => part.map(corners)) };
  }

  /* A record's line or area; null where it is a point. */
  /** @param {number} n @returns {Promise<Shape | null>} */
  async function shape(n) {
    const [shard] = (await files('shapes', [n])).values();
    return unpacked(shard[n % Atlas.big.told.shard]);
  }

  /* The cells of the download; what a file leaves out is empty in all its rows. */
  /** @param {any} shard @param {number} i @returns {(string | number)[]} */
  function cells(shard, i) {
    const { carried, as_of, edition } = find();
    const same = { as_of, edition };
    return carried.map((name) => (name in same ? same[/** @type {'as_of'} */ (name)] : shard[name]?.[i] ?? ''));
  }

  /* One record's row, cell by cell. */
  /** @type {AtlasScripts['taken']['row']} */
  async function row(n) {
    const [shard] = (await files('rows', [n])).values();
    const told = cells(shard, n % Atlas.big.told.shard);
    return Object.fromEntries(find().carried.map((name, i) => [name, told[i]]));
  }

  /** @param {number} n @returns {Asked} */
  function asked(n) {
    const { span } = Atlas.order;
    return { away: span('away', n), point: span('point', n), mark: Atlas.columns?.mark(n) || '-' };
  }

  /* Whether so many can be saved here; says so where not. */
  /** @param {number[]} numbers */
  function fits(numbers) {
    const isFew = numbers.length <= MOST_ROWS && new Set(numbers.map(fileOf)).size <= MOST_FILES;
    if (!isFew) { tell(Atlas.big.say('too_many', { count: number(numbers.length), most: number(MOST_ROWS) })); }
    return isFew;
  }

  /* The rows that the filters leave, in the order of the list; null where they are too many. */
  /** @type {AtlasScripts['taken']['rows']} */
  async function rows(withShapes) {
    const numbers = await Atlas.order.left();
    if (!fits(numbers)) { return null; }
    tell(Atlas.big.say('fetching', { count: number(numbers.length) }));
    const told = await files('rows', numbers);
    const drawn = withShapes ? await files('shapes', numbers) : null;
    const { shard } = Atlas.big.told;
    return numbers.map((n) => ({
      cells: cells(told.get(fileOf(n)), n % shard),
      shape: drawn ? unpacked(drawn.get(fileOf(n))[n % shard]) : null,
      ...asked(n)
    }));
  }

  return { rows, row, shape };
})();
