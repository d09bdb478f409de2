/* What the reader takes away: the filtered rows as files, the view as a link or a frame. */
'use strict';
Atlas.carry = (() => {
  const { make, byId, input, say, tell, find } = Atlas.base;
  const FORMULA = /^'*[=+\-@\t\r]/;
  const NUMBER = /^[+-]?\d+(\.\d+)?$/;

  /* Columns that depend on what is asked: the chosen route's distance, the chosen year's stage. */
  /** @param {Asked} asked @returns {[string, string | number][]} */
  function extra({ away, point, mark }) {
    const { state } = Atlas.page;
    /** @type {[string, string | number][]} */
    const told = [];
    if (state.route) {
      const [least, most] = away || ['', ''];
      told.push(['route_id', state.route], ['route_least_km', least], ['route_most_km', most]);
    }
    if (state.at) {
      const [least, most] = point || ['', ''];
      told.push(['point', state.at.join(' ')], ['point_least_km', least], ['point_most_km', most]);
    }
    if (state.year !== null) {
      const basis = mark === '-' ? '' : mark === mark.toLowerCase() ? 'known' : 'promised';
      told.push(['year', state.year], ['year_stage_group', Atlas.narrow.group(mark)], ['year_basis', basis]);
    }
    return told;
  }

  /* No spreadsheet may take text for a formula; quoted where a separator stands in it. */
  /** @param {string | number | null} value */
  function cell(value) {
    const text = value === null ? '' : String(value);
    const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  }

  /* A record of a small layer as a row; lines and areas as they are drawn. */
  /** @param {string} id @returns {Row} */
  function rowOf(id) {
    const { state } = Atlas.page;
    const found = find().records[id];
    const { lines, rings } = Atlas.draw.records[id] || {};
    const mark = state.year === null ? '' : found.years[state.year - find().first_year] || '-';
    return { cells: found.carry, shape: { lines, rings }, away: found.to[state.route], point: found.point, mark };
  }

  /** @param {string[]} ids @param {Row[]} [more] */
  function csv(ids, more = []) {
    const all = [...ids.map(rowOf), ...more];
    const columns = [...find().carried, ...(all.length ? extra(all[0]).map(([name]) => name) : [])];
    const rows = all.map((row) => [...row.cells, ...extra(row).map(([, value]) => value)]);
    return `\ufeff${[columns, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
  }

  /** @param {At[]} line */
  const turned = (line) => line.map(([latitude, longitude]) => [longitude, latitude]);

  /* A point stands where it is known to be, not where it is drawn aside. */
  /** @param {Shape | null} shape @param {Record<string, unknown>} told */
  function geometry(shape, told) {
    if (shape?.rings) { return { type: 'MultiPolygon', coordinates: shape.rings.map((part) => part.map(turned)) }; }
    if (shape?.lines) { return { type: 'MultiLineString', coordinates: shape.lines.map(turned) }; }
    return told.longitude === null ? null : { type: 'Point', coordinates: [told.longitude, told.latitude] };
  }

  /** @param {string[]} ids @param {Row[]} [more] */
  function geojson(ids, more = []) {
    const features = [...ids.map(rowOf), ...more].map((row) => {
      const known = find().carried.map((name, i) => [name, row.cells[i]]);
      const told = [...known, ...extra(row)].map(([name, value]) => [name, value === '' ? null : value]);
      const properties = Object.fromEntries(told);
      return { type: 'Feature', id: properties.id, properties, geometry: geometry(row.shape, properties) };
    });
    return JSON.stringify({ type: 'FeatureCollection', features }, null, 1);
  }

  /* Those of small layers are here; those of tiled ones are fetched first. */
  /** @param {typeof csv} write @param {string} type @param {string} ending */
  async function save(write, type, ending) {
    const ids = rows();
    let more;
    try {
      more = Atlas.taken ? await Atlas.taken.rows(write === geojson) : [];
    } catch {
      tell(Atlas.big.say('not_loaded'));
    }
    if (more) { give(write(ids, more), ids.length + more.length, type, ending); }
  }

  /** @param {string} text @param {number} count @param {string} type @param {string} ending */
  function give(text, count, type, ending) {
    const link = make('a');
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = `${find().name}-${find().edition}-${count}.${ending}`;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    tell(say('saved', { count, name: link.download }));
  }

  /* Where the clipboard is closed to us the link stands in a field, chosen and ready. */
  async function copy() {
    const address = Atlas.page.address();
    try {
      await navigator.clipboard.writeText(address);
      tell(say('copied'));
    } catch {
      const field = input('link');
      field.value = address;
      byId('link-box').hidden = false;
      field.focus();
      field.select();
      tell(say('copy_by_hand'));
    }
  }

  function snippet() {
    const frame = make('iframe');
    frame.src = Atlas.page.address(true);
    frame.title = document.title;
    frame.width = '100%';
    frame.height = '560';
    frame.setAttribute('loading', 'lazy');
    input('snippet').value = frame.outerHTML;
  }

  function build() {
    byId('save-csv').addEventListener('click', () => save(csv, 'text/csv;charset=utf-8', 'csv'));
    byId('save-geojson').addEventListener('click', () => save(geojson, 'application/geo+json', 'geojson'));
    byId('copy-link').addEventListener('click', copy);
    byId('embed').addEventListener('toggle', snippet);
    snippet();
  }

  const rows = () => Atlas.list.order(Atlas.browse.shown);

  return { csv, geojson, build };
})();
