/* What the reader takes away: the filtered rows as files, the view as a link or a frame. */
'use strict';
Atlas.carry = (() => {
  const { make, byId, input, say, tell, find } = Atlas.base;
  const FORMULA = /^'*[=+\-@\t\r]/;
  const NUMBER = /^[+-]?\d+(\.\d+)?$/;

  /* Columns that depend on what is asked: the chosen route's distance, the chosen year's stage. */
  /** @param {string} id @returns {[string, string | number][]} */
  function extra(id) {
    const { state } = Atlas.page;
    const found = find().records[id];
    /** @type {[string, string | number][]} */
    const told = [];
    if (state.route) {
      const bounds = found.to[state.route];
      told.push(['route_id', state.route], ['route_least_km', bounds ? bounds[0] : ''], ['route_most_km', bounds ? bounds[1] : '']);
    }
    if (state.at) {
      const [least, most] = found.point || ['', ''];
      told.push(['point', state.at.join(' ')], ['point_least_km', least], ['point_most_km', most]);
    }
    if (state.year !== null) {
      const mark = found.years[state.year - find().first_year] || '-';
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

  /** @param {string[]} ids */
  function csv(ids) {
    const columns = [...find().carried, ...(ids.length ? extra(ids[0]).map(([name]) => name) : [])];
    const rows = ids.map((id) => [...find().records[id].carry, ...extra(id).map(([, value]) => value)]);
    return `\ufeff${[columns, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
  }

  /** @param {At[]} line */
  const turned = (line) => line.map(([latitude, longitude]) => [longitude, latitude]);

  /* Lines and areas as they are drawn; a point where it is known to be, not where it is drawn aside. */
  /** @param {string} id @param {Record<string, unknown>} told */
  function geometry(id, told) {
    const feature = Atlas.draw.records[id];
    if (feature?.rings) { return { type: 'MultiPolygon', coordinates: feature.rings.map((part) => part.map(turned)) }; }
    if (feature?.lines) { return { type: 'MultiLineString', coordinates: feature.lines.map(turned) }; }
    return told.longitude === null ? null : { type: 'Point', coordinates: [told.longitude, told.latitude] };
  }

  /** @param {string[]} ids */
  function geojson(ids) {
    const features = ids.map((id) => {
      const known = find().carried.map((name, i) => [name, find().records[id].carry[i]]);
      const told = [...known, ...extra(id)].map(([name, value]) => [name, value === '' ? null : value]);
      const properties = Object.fromEntries(told);
      return { type: 'Feature', id, properties, geometry: geometry(id, properties) };
    });
    return JSON.stringify({ type: 'FeatureCollection', features }, null, 1);
  }

  /** @param {string} text @param {string} type @param {string} ending */
  function save(text, type, ending) {
    const link = make('a');
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = `${find().name}-${find().edition}-${Atlas.browse.shown.length}.${ending}`;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    tell(say('saved', { count: Atlas.browse.shown.length, name: link.download }));
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
    byId('save-csv').addEventListener('click', () => save(csv(rows()), 'text/csv;charset=utf-8', 'csv'));
    byId('save-geojson').addEventListener('click', () => save(geojson(rows()), 'application/geo+json', 'geojson'));
    byId('copy-link').addEventListener('click', copy);
    byId('embed').addEventListener('toggle', snippet);
    snippet();
  }

  const rows = () => Atlas.list.order(Atlas.browse.shown);

  return { csv, geojson, build };
})();
