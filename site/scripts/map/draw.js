/* Draws the layers of ATLAS_LAYERS on Folium's map, and knows each record's marker. */
'use strict';
Atlas.draw = (() => {
  const { make, svg, use, say } = Atlas.base;
  const NAMES_FROM_ZOOM = 10.25;
  const WATER_FROM_ZOOM = 12;
  const PIN = 26; // pixels; nearer than this, two signs hide each other
  const SLICE_MS = 12;
  const STEPS = 100000;
  const ABOVE_SHEET = 0.2; // of the map's height
  /** @type {Record<string, Feature>} */
  const records = Object.create(null);

  /* Lines come as steps of 10^-5 degrees from one corner to the next. */
  /** @type {AtlasScripts['draw']['corners']} */
  function corners(steps) {
    let [latitude, longitude] = [0, 0];
    /** @type {At[]} */
    const line = [];
    for (let i = 0; i < steps.length; i += 2) {
      latitude += steps[i];
      longitude += steps[i + 1];
      line.push([latitude / STEPS, longitude / STEPS]);
    }
    return line;
  }

  /** @param {any} feature */
  function unpack(feature) {
    if (feature.lines) { feature.lines = feature.lines.map(corners); }
    if (feature.rings) { feature.rings = feature.rings.map((/** @type {number[][]} */ part) => part.map(corners)); }
  }

  /** @param {Feature} feature */
  function symbolOf(feature) {
    if (feature.sign === 'single_point') { return 'single_point'; }
    return feature.table === 'routes' ? 'route' : feature.kind;
  }

  /* A place is a shape by its kind, a route a small disc; the sign inside tells the stage. */
  /** @param {Feature} feature */
  function pin(feature) {
    const picture = svg('svg', { viewBox: `0 0 ${PIN} ${PIN}`, width: PIN, height: PIN, 'aria-hidden': 'true' });
    feature.symbol = use(`sign-${feature.stage}`, '', [6, 6, 14, 14]);
    picture.append(use(`shape-${symbolOf(feature)}`, 'outer', [0, 0, PIN, PIN]), feature.symbol);
    const icon = L.divIcon({
      className: `pin layer-${feature.kind} is-${feature.sign}`,
      html: /** @type {any} */ (picture),
      iconSize: [PIN, PIN]
    });
    feature.label = `${feature.name}, ${feature.says}. ${feature.where}`;
    feature.marker = L.marker(feature.at, { icon, riseOnHover: true, autoPanOnFocus: false });
    feature.marker.on('add', () => dress(feature));
    return feature.marker;
  }

  /* A sign that gets the focus comes into the map's frame, and the frame into the window. */
  /** @param {Feature} feature @param {HTMLElement} element */
  function reveal(feature, element) {
    const { map } = Atlas.page;
    const credit = map.getContainer().querySelector('.leaflet-bottom.leaflet-right')?.clientHeight || 0;
    map.getContainer().scrollTo(0, 0);
    map.panInside(feature.at, { paddingTopLeft: [2 * PIN, 2 * PIN], paddingBottomRight: [2 * PIN, PIN + credit], animate: false });
    element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    map.getContainer().scrollTo(0, 0);
  }

  /* Leaflet makes a marker's element anew each time it is added. */
  /** @param {Feature} feature */
  function dress(feature) {
    const element = feature.marker.getElement();
    if (!element) { return; }
    element.dataset.id = feature.id;
    told(feature);
    mark(feature, 'is-dim', feature.dim);
    mark(feature, 'is-out', feature.out);
    if (feature.tone) { mark(feature, feature.tone, true); }
    element.classList.toggle('is-open', Atlas.panel.open === feature.id);
    element.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        Atlas.draw.onPick(feature.id, true);
      }
    });
    element.addEventListener('focus', () => {
      reveal(feature, element);
      Atlas.draw.onLight(feature.id, true);
    });
    element.addEventListener('blur', () => Atlas.draw.onLight(feature.id, false));
  }

  /** @param {Feature} feature @returns {L.Layer[]} */
  function shapes(feature) {
    const name = `layer-${feature.kind}`;
    /** @type {L.Layer[]} */
    const drawn = [];
    if (feature.rings) {
      drawn.push(L.polygon(feature.rings, { className: `${name} area`, weight: 2 }));
    } else if (feature.lines) {
      const dashArray = feature.sign === 'approximate' ? '9 7' : undefined;
      drawn.push(L.polyline(feature.lines, { className: `${name} route`, weight: feature.width, dashArray }));
    }
    if (feature.radius) {
      drawn.push(L.circle(feature.at, { radius: feature.radius, className: `${name} footprint`, weight: 1.5 }));
    }
    return drawn;
  }

  /** @param {Feature} feature */
  function record(feature) {
    const group = L.featureGroup([...shapes(feature), pin(feature)]);
    group.bindTooltip(() => make('span', '', feature.name), { className: 'hint', sticky: true });
    group.on('click', () => Atlas.draw.onPick(feature.id, false));
    group.on('mouseover', () => Atlas.draw.onLight(feature.id, true));
    group.on('mouseout', () => Atlas.draw.onLight(feature.id, false));
    records[feature.id] = feature;
    feature.group = group;
    feature.dim = false;
    feature.out = false;
    feature.tone = '';
    feature.members = [];
    feature.under = false;
    return group;
  }

  /* A name that stands on the map: placed by its style, so that nothing need be measured. */
  /** @type {AtlasScripts['draw']['named']} */
  function named(at, text, kind) {
    const icon = L.divIcon({ className: `name ${kind}`, html: make('span', '', text), iconSize: /** @type {any} */ (null) });
    return L.marker(at, { icon, pane: 'names', interactive: false, keyboard: false });
  }

  /** @param {Area} feature */
  function commune(feature) {
    const name = named(feature.at, feature.name, 'commune-name');
    const shape = feature.rings
      ? L.polygon(feature.rings, { className: 'commune', weight: 1, interactive: false })
      : L.circleMarker(feature.at, { radius: 3, stroke: false, className: 'spot', interactive: false });
    return L.layerGroup([shape, name]);
  }

  /** @param {Water} feature */
  function water(feature) {
    const line = L.polyline(feature.lines, { className: 'water', weight: 1.5, interactive: false });
    if (!feature.name) { return line; }
    return L.layerGroup([line, named(feature.at, feature.name, 'water-name')]);
  }

  /* Lets the page answer; a timer would be held back where the page is not in front. */
  const pause = () => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage('');
  });

  /* Lets the page answer after every few features, so that no task is long on any device. */
  /** @type {AtlasScripts['draw']['fill']} */
  async function add(layers) {
    let begun = performance.now();
    for (const [id, group] of layers) {
      /** @type {(feature: any) => L.Layer} */
      const draw = id === 'communes' ? commune : id === 'waterways' ? water : record;
      for (const feature of ATLAS_LAYERS.layers[id]) {
        unpack(feature);
        feature.layer = group;
        group.addLayer(draw(feature));
        if (performance.now() - begun > SLICE_MS) {
          await pause();
          begun = performance.now();
        }
      }
    }
  }

  /* Once the view is set. Painted when all is there: the frames between take longer than the work. */
  /** @type {AtlasScripts['draw']['fill']} */
  async function fill(layers) {
    const pane = /** @type {HTMLElement} */ (Atlas.page.map.getPane('mapPane'));
    pane.hidden = true;
    try {
      await add(layers);
    } finally {
      pane.hidden = false;
    }
    await pause();
  }

  /** @type {AtlasScripts['draw']['map']} */
  function map(id, options) {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const made = L.map(id, { zoomAnimation: !still, fadeAnimation: !still, inertia: !still, ...options });
    made.createPane('names');
    // whoever asks for less motion sees no map slide, not by the arrow keys either
    if (still) { made.panBy = (offset, asked) => L.Map.prototype.panBy.call(made, offset, { ...asked, animate: false }); }
    made.zoomControl = L.control.zoom({ zoomInTitle: say('zoom_in'), zoomOutTitle: say('zoom_out') }).addTo(made);
    L.control.scale({ imperial: false }).addTo(made);
    const far = () => {
      const names = made.getContainer().classList;
      names.toggle('is-far', made.getZoom() < NAMES_FROM_ZOOM);
      names.toggle('is-above-water', made.getZoom() < WATER_FROM_ZOOM);
    };
    made.on('zoomend viewreset', far);
    made.whenReady(far);
    return made;
  }

  /* Marks a record's sign and its line or area. */
  /** @param {Feature} feature @param {string} name @param {boolean} on */
  function mark(feature, name, on) {
    feature.group.eachLayer((part) => {
      const element = /** @type {any} */ (part).getElement?.();
      if (element) { element.classList.toggle(name, on); }
    });
  }

  /** @param {string} id @param {boolean} on */
  function light(id, on) {
    if (records[id]) { mark(records[id], 'is-lit', on); }
  }

  /* What the filters take out is neither seen nor reached; its layer keeps it. */
  /** @param {Feature} feature @param {boolean} out */
  function hide(feature, out) {
    if (feature.out === out) { return; }
    feature.out = out;
    mark(feature, 'is-out', out);
  }

  /* How a record looks and what it is called: by its stage, by a year's, or by its schedule. */
  /** @type {AtlasScripts['draw']['look']} */
  function look(feature, { sign, says, dim = false, tone = '' }) {
    const label = `${feature.name}, ${says}. ${feature.where}`;
    if (feature.label === label && feature.dim === dim && feature.tone === tone) { return; }
    feature.symbol.setAttribute('href', `#sign-${sign}`);
    if (feature.tone) { mark(feature, feature.tone, false); }
    if (tone) { mark(feature, tone, true); }
    Object.assign(feature, { label, dim, tone });
    mark(feature, 'is-dim', dim);
    told(feature);
  }

  /* A sign says its name and how many others lie under it; those are reached from its panel. */
  /** @param {Feature} feature */
  function told(feature) {
    const element = feature.marker.getElement();
    if (!element) { return; }
    const more = feature.members.length;
    const name = feature.label + (more ? `. ${say('here', { count: more })}` : '');
    const shown = more ? `+${more}` : '';
    if (element.ariaLabel !== name) { element.ariaLabel = name; }
    if (element.dataset.more !== shown) { element.dataset.more = shown; }
    if (element.classList.contains('is-under') !== feature.under) { element.classList.toggle('is-under', feature.under); }
  }

  /** @param {L.Map} made @param {Feature} feature */
  const isThere = (made, feature) => !feature.out && made.hasLayer(feature.marker);

  /** @param {L.Point} a @param {L.Point} b */
  const touches = (a, b) => Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) < PIN;

  /* Of signs that would hide each other one is shown, the open record's before all, then places. */
  /** @type {AtlasScripts['draw']['stack']} */
  function stack(made) {
    const had = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.id;
    /** @param {Feature} one */
    const rank = (one) => (one.id === Atlas.panel.open ? 0 : one.table === 'places' ? 1 : 2);
    const there = Object.values(records).filter((one) => isThere(made, one)).sort((a, b) => rank(a) - rank(b));
    /** @type {Map<string, [Feature, L.Point][]>} */
    const heads = new Map();
    there.forEach((feature) => {
      const at = made.latLngToLayerPoint(feature.at);
      const [column, row] = [Math.floor(at.x / PIN), Math.floor(at.y / PIN)];
      const near = [-1, 0, 1].flatMap((x) => [-1, 0, 1].flatMap((y) => heads.get(`${column + x} ${row + y}`) || []));
      const head = near.find(([, point]) => touches(point, at))?.[0];
      feature.under = Boolean(head);
      feature.members = [];
      if (head) { head.members.push(feature); } else { heads.set(`${column} ${row}`, [[feature, at]]); }
      if (head && feature.id === had) { head.marker.getElement()?.focus({ preventScroll: true }); }
    });
    there.forEach(told);
  }

  /** @param {L.Map} made @param {Feature} feature */
  function goTo(made, feature) {
    if (!made.hasLayer(feature.group) || feature.out) { return; }
    if (feature.lines) {
      made.fitBounds(feature.group.getBounds(), { maxZoom: 12, animate: false });
    } else {
      made.setView(feature.at, Math.max(made.getZoom(), 12), { animate: false });
    }
    // on a phone the sheet covers the lower half: the place stands above it
    if (!Atlas.base.wide()) { made.panBy([0, made.getSize().y * ABOVE_SHEET], { animate: false }); }
  }

  return { records, map, fill, corners, named, light, hide, look, goTo, stack, onPick: () => {}, onLight: () => {} };
})();
