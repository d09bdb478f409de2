/* A comparison on A4: both languages, a sketch with numbered places, coordinates, sources, QR. */
'use strict';
Atlas.paper = (() => {
  const { make, svg, byId, say, find } = Atlas.base;
  const QUIET = 4;
  const CORRECTION = 'M';
  const DISC = 15;

  const told = () => globalThis.ATLAS_PAPER;

  /** @param {string} text */
  function inOther(text) {
    const part = make('span', 'other', text);
    part.lang = told().other;
    return part;
  }

  /* The page's language first, the other one after it where it says something else. */
  /** @param {HTMLElement} box @param {string} own @param {string} [other] */
  function both(box, own, other) {
    box.append(make('span', '', own));
    if (other && other !== own) { box.append(' ', inOther(`/ ${other}`)); }
    return box;
  }

  /** @param {string} key @param {Record<string, string>} [values] */
  function words(key, values = {}) {
    return told().words[key].map((text) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all));
  }

  /** @param {string} key @param {keyof HTMLElementTagNameMap} tag @param {Record<string, string>} [values] */
  function said(key, tag, values) {
    const [own, other] = words(key, values);
    return both(make(tag), own, other);
  }

  /** @param {string[]} ids */
  function address(ids) {
    return `${told().address}?edition=${find().edition}#v=1&compare=${ids.join(',')}`;
  }

  /** @param {string} text */
  function code(text) {
    const made = qrcode(0, CORRECTION);
    made.addData(text);
    made.make();
    const size = made.getModuleCount();
    let path = '';
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        if (made.isDark(y, x)) { path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`; }
      }
    }
    const whole = size + 2 * QUIET;
    const picture = svg('svg', { viewBox: `0 0 ${whole} ${whole}`, class: 'qr', role: 'img', 'aria-label': text });
    picture.append(svg('rect', { width: whole, height: whole, fill: '#fff' }), svg('path', { d: path, fill: '#000' }));
    return picture;
  }

  /** @param {Paper} record */
  function shape(record) {
    const rough = record.how === 'known' ? '' : ' rough';
    if (record.line) { return [svg('path', { class: `mark${rough}`, d: record.line })]; }
    if (!record.at || !record.reach) { return []; }
    return [svg('circle', { class: `mark${rough}`, cx: record.at[0], cy: record.at[1], r: record.reach })];
  }

  /* Places at one point stand side by side, so that every number is read. */
  /** @param {Paper[]} records */
  function discs(records) {
    /** @type {[number, number][]} */
    const taken = [];
    return records.flatMap(({ at }, i) => {
      if (!at) { return []; }
      let [x, y] = at;
      while (taken.some(([a, b]) => Math.hypot(a - x, b - y) < 2 * DISC)) { x += 2 * DISC + 1; }
      taken.push([x, y]);
      const number = svg('text', { x, y: y + 6 });
      number.textContent = String(i + 1);
      return [svg('circle', { class: 'disc', cx: x, cy: y, r: DISC }), number];
    });
  }

  /** @param {Paper[]} records */
  function sketch(records) {
    const { width, height, communes, points, water, scale, scale_text: text } = told().ground;
    const picture = svg('svg', { class: 'locator', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': words('map')[0] });
    const own = new Set(records.flatMap((one) => one.own));
    const units = [...Object.keys(communes), ...Object.keys(points)];
    units.sort((a, b) => Number(own.has(a)) - Number(own.has(b)));
    units.forEach((unit) => {
      const name = own.has(unit) ? 'land own' : 'land';
      const [x, y] = points[unit] || [];
      picture.append(communes[unit] ? svg('path', { class: name, d: communes[unit] }) : svg('circle', { class: name, cx: x, cy: y, r: 8 }));
    });
    picture.append(...water.map((d) => svg('path', { class: 'stream', d })), ...records.flatMap(shape), ...discs(records));
    const bar = svg('text', { class: 'scale-text', x: 28 + scale, y: height - 9 });
    bar.textContent = text;
    picture.append(svg('path', { class: 'scale', d: `M20 ${height - 18}v8h${scale}v-8` }), bar);
    return picture;
  }

  /** @param {string[]} ids */
  function top(ids) {
    const [map, side] = [make('figure'), make('figure')];
    const records = ids.map((id) => told().records[id]);
    map.append(sketch(records), said('map', 'figcaption'));
    const text = address(ids);
    const caption = said('qr', 'figcaption', { edition: find().edition });
    caption.append(': ', make('span', 'address', text));
    side.append(code(text), caption);
    const parts = make('div', 'paper-top');
    parts.append(map, side);
    return parts;
  }

  /** @param {string[]} ids */
  function head(ids) {
    const line = make('tr');
    line.append(said('name', 'th'));
    ids.forEach((id, i) => {
      const title = make('th');
      title.scope = 'col';
      title.append(make('b', 'number', String(i + 1)), ' ');
      line.append(both(title, find().records[id].name, told().records[id].name));
    });
    const made = make('thead');
    made.append(line);
    return made;
  }

  /** @param {HTMLElement} title @param {HTMLElement[]} cells */
  function row(title, cells) {
    const line = make('tr');
    /** @type {HTMLTableCellElement} */ (title).scope = 'row';
    line.append(title, ...cells);
    return line;
  }

  /** @param {number} place */
  const spots = (place) => (/** @type {string} */ id) => {
    const box = make('td');
    const all = told().records[id].spots;
    all.forEach((spot) => {
      const line = make('div');
      if (all.length > 1) { line.append(make('span', 'proof', `${spot[0]}: `)); }
      line.append(spot[place]);
      box.append(line);
    });
    return all.length ? box : said('unknown', 'td');
  };

  /** @param {string[]} ids */
  function placed(ids) {
    return [
      row(said('wgs', 'th'), ids.map(spots(1))),
      row(said('vn', 'th'), ids.map(spots(2))),
      row(said('position', 'th'), ids.map((id) => both(make('td'), ...told().records[id].accuracy)))
    ];
  }

  /* Documents are numbered in the order in which the table names them. */
  /** @param {Cell | undefined} cell @param {number[]} cited */
  function proof(cell, cited) {
    const [, date, documents, trust] = cell || [];
    const numbers = (documents || []).map((one) => {
      if (!cited.includes(one)) { cited.push(one); }
      return `[${cited.indexOf(one) + 1}]`;
    });
    return [date, numbers.join(''), trust].filter(Boolean).join(' · ');
  }

  /** @param {string[]} ids @param {number[]} cited */
  function rows(ids, cited) {
    const asked = find().rows.filter(([key]) => key !== 'accuracy' && ids.some((id) => find().records[id].cells[key]));
    return asked.map((one) => {
      const [key, title, which] = one;
      const best = Atlas.compare.better(one, ids);
      const cells = ids.map((id) => {
        const cell = find().records[id].cells[key];
        if (!cell) { return said('unknown', 'td'); }
        const box = both(make('td'), cell[0], told().records[id].cells[key]);
        if (best.includes(id)) { box.append(' ', make('b', 'best', say(`best_${which}`))); }
        const text = proof(cell, cited);
        if (text) { box.append(make('div', 'proof', text)); }
        if (cell[4]) { box.append(make('div', 'proof', `${say('disputed')} ${cell[4]}`)); }
        return box;
      });
      return row(both(make('th'), title, told().rows[key]), cells);
    });
  }

  /** @param {number[]} cited */
  function sources(cited) {
    const list = make('ol', 'paper-sources');
    list.append(...cited.map((one) => make('li', '', find().documents[one])));
    return list;
  }

  /** @param {string[]} ids */
  function fill(ids) {
    /** @type {number[]} */
    const cited = [];
    const [table, body] = [make('table'), make('tbody')];
    body.append(...placed(ids), ...rows(ids, cited));
    table.append(head(ids), body);
    const dates = make('p', 'paper-dates');
    both(dates, `${words('as_of')[0]} ${told().as_of[0]}`, `${words('as_of')[1]} ${told().as_of[1]}`);
    dates.append(' · ', said('edition', 'span'), ` ${find().edition}`);
    byId('paper').replaceChildren(
      said('title', 'h2'), dates, top(ids), table,
      said('note', 'p'), said('caution', 'p'), said('sources', 'h3'), sources(cited)
    );
  }

  return { fill, address };
})();
