/* The view as a link: readable, versioned, and safe whatever somebody writes into it. */
'use strict';
Atlas.hash = (() => {
  const VERSION = '1';
  /* As `atlas.views` writes and checks them for the links of other pages. */
  const FACETS = ['kind', 'stage', 'schedule', 'district', 'commune', 'who', 'fund', 'sector', 'accuracy', 'conflict'];
  const RANGES = ['area', 'price', 'occupancy', 'complete', 'late', 'road', 'canal', 'port', 'away', 'point'];
  const SORTS = ['kind', 'name', 'area', 'stage', 'schedule', 'complete', 'away', 'point'];
  const ID = /^[a-z0-9]+([._-][a-z0-9]+)*$/;
  const NUMBER = /^\d{1,7}(\.\d{1,6})?$/;
  const LONG = 4000;
  const MANY = 60;
  const COMPARED = 4;

  /** @returns {State} */
  function empty() {
    return {
      map: null, hide: [], choose: {}, range: {}, route: '', at: null, sure: false, view: false,
      sort: 'kind', year: null, colour: '', id: '', shortlist: null, compare: []
    };
  }

  /** @param {string | null} text @param {number} [most] @returns {string[]} */
  function ids(text, most = MANY) {
    const parts = (text || '').split(',').filter((part) => part.length <= 80 && ID.test(part));
    return [...new Set(parts)].slice(0, most);
  }

  /** @param {string | null} text @returns {State['map']} */
  function view(text) {
    const parts = (text || '').split('/');
    if (parts.length !== 3 || !parts.every((part) => /^-?\d{1,3}(\.\d{1,6})?$/.test(part))) { return null; }
    const [zoom, latitude, longitude] = parts.map(Number);
    const isThere = zoom >= 0 && zoom <= 22 && Math.abs(latitude) <= 85 && Math.abs(longitude) <= 180;
    return isThere ? [zoom, latitude, longitude] : null;
  }

  /** @param {string | null} text @returns {State['at']} */
  function point(text) {
    const told = /^(\d{1,2}(?:\.\d{1,6})?)\/(\d{1,3}(?:\.\d{1,6})?)$/.exec(text || '');
    return told && Number(told[1]) <= 85 && Number(told[2]) <= 180 ? [Number(told[1]), Number(told[2])] : null;
  }

  /* `200..500`, `200..`, `..10`, each perhaps with `,known`. */
  /** @param {string | null} text @returns {Span | null} */
  function range(text) {
    const [span, ...more] = (text || '').split(',');
    const ends = span.split('..');
    if (ends.length !== 2 || !ends.every((end) => end === '' || NUMBER.test(end))) { return null; }
    const [least, most] = ends.map((end) => (end === '' ? null : Number(end)));
    const known = more.includes('known');
    return least === null && most === null && !known ? null : { least, most, known };
  }

  /* A bare id, as the records' pages link to it, opens that record. */
  /** @param {string} text @returns {State} */
  function parse(text) {
    const state = empty();
    const bare = text.replace(/^#/, '').slice(0, LONG);
    if (!bare.includes('=')) {
      state.id = ids(bare, 1)[0] || '';
      return state;
    }
    const told = new URLSearchParams(bare);
    FACETS.forEach((name) => {
      const chosen = ids(told.get(name));
      if (chosen.length) { state.choose[name] = chosen; }
    });
    RANGES.forEach((name) => {
      const asked = range(told.get(name));
      if (asked) { state.range[name] = asked; }
    });
    state.map = view(told.get('map'));
    state.hide = ids(told.get('hide'));
    state.route = ids(told.get('route'), 1)[0] || '';
    state.at = point(told.get('at'));
    state.sure = told.get('sure') === '1';
    state.view = told.get('view') === '1';
    const sort = told.get('sort') || '';
    state.sort = SORTS.includes(sort) ? sort : 'kind';
    const year = told.get('year') || '';
    state.year = /^20[23]\d$/.test(year) && Number(year) <= 2030 ? Number(year) : null;
    // the schedule is that of the data's date, so a year shows stages alone
    state.colour = told.get('colour') === 'schedule' && state.year === null ? 'schedule' : '';
    state.id = ids(told.get('id'), 1)[0] || '';
    state.shortlist = told.has('shortlist') ? ids(told.get('shortlist')) : null;
    state.compare = ids(told.get('compare'), COMPARED);
    return state;
  }

  /** @param {Span} asked */
  function written(asked) {
    return `${asked.least ?? ''}..${asked.most ?? ''}${asked.known ? ',known' : ''}`;
  }

  /** @param {State} state */
  function format(state) {
    /** @type {[string, string][]} */
    const told = [['v', VERSION]];
    /** @param {string} key @param {string | string[] | null | undefined} value */
    const add = (key, value) => {
      const text = Array.isArray(value) ? value.join(',') : value;
      if (text) { told.push([key, text]); }
    };
    if (state.map) {
      const [zoom, latitude, longitude] = state.map;
      add('map', `${Number(zoom.toFixed(2))}/${latitude.toFixed(4)}/${longitude.toFixed(4)}`);
    }
    add('hide', state.hide);
    FACETS.forEach((name) => add(name, state.choose[name]));
    RANGES.forEach((name) => add(name, state.range[name] && written(state.range[name])));
    add('route', state.route);
    add('at', state.at && state.at.map((one) => String(Number(one.toFixed(5)))).join('/'));
    add('sure', state.sure ? '1' : '');
    add('view', state.view ? '1' : '');
    add('sort', state.sort === 'kind' ? '' : state.sort);
    add('year', state.year ? String(state.year) : '');
    add('colour', state.colour);
    add('id', state.id);
    add('shortlist', state.shortlist);
    add('compare', state.compare);
    return `#${told.map(([key, value]) => `${key}=${encodeURI(value)}`).join('&')}`;
  }

  /* Whether the first view can show it without the filters' data. */
  /** @param {State} state */
  function isPlain(state) {
    const asks = Object.keys(state.choose).length + Object.keys(state.range).length + state.compare.length;
    const lists = (state.shortlist || []).length;
    const shows = state.year !== null || state.colour;
    return !asks && !lists && !state.at && !shows && !state.view && state.sort === 'kind';
  }

  return { parse, format, empty, RANGES, FACETS, SORTS, isPlain };
})();
