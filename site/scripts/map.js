/* Draws the layers of ATLAS_LAYERS on Folium's map. Text from data is only ever set as text. */
(function () {
  'use strict';

  var SVG = 'http://www.w3.org/2000/svg';
  var NAMES_FROM_ZOOM = 10.25;
  var WATER_FROM_ZOOM = 12;
  var data = globalThis.ATLAS_LAYERS;
  var words = data.words;
  var records = Object.create(null);
  var open = null;

  function make(tag, name, text) {
    var element = document.createElement(tag);
    if (name) { element.className = name; }
    if (text) { element.textContent = text; }
    return element;
  }

  function use(symbol, name, box) {
    var element = document.createElementNS(SVG, 'use');
    element.setAttribute('href', '#' + symbol);
    if (name) { element.setAttribute('class', name); }
    ['x', 'y', 'width', 'height'].forEach(function (side, i) { element.setAttribute(side, box[i]); });
    return element;
  }

  function label(feature) {
    return feature.name + ', ' + feature.says + '. ' + feature.where;
  }

  /* A place is a shape by its kind, a route a small disc; the sign inside tells the stage. */
  function pin(feature) {
    var svg = document.createElementNS(SVG, 'svg');
    var symbol = feature.sign === 'single_point' ? 'single_point'
      : feature.table === 'routes' ? 'route' : feature.kind;
    svg.setAttribute('viewBox', '0 0 26 26');
    svg.setAttribute('width', 26);
    svg.setAttribute('height', 26);
    svg.setAttribute('aria-hidden', 'true');
    svg.appendChild(use('shape-' + symbol, 'outer', [0, 0, 26, 26]));
    svg.appendChild(use('sign-' + feature.stage, '', [6, 6, 14, 14]));
    var marker = L.marker(feature.at, {
      icon: L.divIcon({
        className: 'pin layer-' + feature.kind + ' is-' + feature.sign, html: svg, iconSize: [26, 26]
      }),
      riseOnHover: true
    });
    marker.on('add', function () {
      var element = marker.getElement();
      element.setAttribute('aria-label', label(feature));
      element.addEventListener('keydown', function (event) {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          show(feature.id, true);
        }
      });
    });
    feature.marker = marker;
    return marker;
  }

  function shapes(feature) {
    var name = 'layer-' + feature.kind;
    var drawn = [];
    if (feature.rings) {
      drawn.push(L.polygon(feature.rings, { className: name + ' area', weight: 2 }));
    } else if (feature.lines) {
      drawn.push(L.polyline(feature.lines, {
        className: name + ' route',
        weight: feature.width,
        dashArray: feature.sign === 'approximate' ? '9 7' : null
      }));
    }
    if (feature.radius) {
      drawn.push(L.circle(feature.at, { radius: feature.radius, className: name + ' footprint', weight: 1.5 }));
    }
    return drawn;
  }

  function record(feature) {
    var group = L.featureGroup(shapes(feature).concat([pin(feature)]));
    group.bindTooltip(function () { return make('span', '', feature.name); }, { className: 'hint', sticky: true });
    group.on('click', function () { show(feature.id, false); });
    records[feature.id] = feature;
    feature.group = group;
    return group;
  }

  function named(layer, text, kind, side) {
    return layer.bindTooltip(function () { return make('span', '', text); },
      { permanent: true, direction: side || 'center', className: 'name ' + kind, interactive: false });
  }

  function spot(at, radius) {
    return L.circleMarker(at, {
      radius: radius, stroke: false, fill: radius > 0, className: radius ? 'spot' : '', interactive: false
    });
  }

  function commune(feature) {
    var dot = spot(feature.at, feature.rings ? 0 : 3);
    var drawn = [named(dot, feature.name, 'commune-name', feature.rings ? 'center' : 'bottom')];
    if (feature.rings) {
      drawn.unshift(L.polygon(feature.rings, { className: 'commune', weight: 1, interactive: false }));
    }
    return L.layerGroup(drawn);
  }

  function water(feature) {
    var line = L.polyline(feature.lines, { className: 'water', weight: 1.5, interactive: false });
    if (!feature.name) { return line; }
    return L.layerGroup([line, named(spot(feature.at, 0), feature.name, 'water-name')]);
  }

  function layer(id) {
    var draw = id === 'communes' ? commune : id === 'waterways' ? water : record;
    return L.layerGroup(data.layers[id].map(draw));
  }

  function map(id, options) {
    var still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    var made = L.map(id, Object.assign({ zoomAnimation: !still, fadeAnimation: !still }, options));
    L.control.zoom({ zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(made);
    L.control.scale({ imperial: false }).addTo(made);
    function far() {
      var names = made.getContainer().classList;
      names.toggle('is-far', made.getZoom() < NAMES_FROM_ZOOM);
      names.toggle('is-above-water', made.getZoom() < WATER_FROM_ZOOM);
    }
    made.on('zoomend viewreset', far);
    made.whenReady(far);
    return made;
  }

  function close() {
    if (!open) { return; }
    mark(open, false);
    document.getElementById('panel').hidden = true;
    if (open.back) { open.back.focus(); }
    open = null;
  }

  function mark(feature, on) {
    var element = feature.marker.getElement();
    if (element) { element.classList.toggle('is-open', on); }
  }

  /* One figure: [name, value, date, sources, confidence, other values]. */
  function fact(list, told) {
    list.appendChild(make('dt', '', told[0]));
    var value = list.appendChild(make('dd'));
    value.appendChild(make('span', 'value', told[1]));
    value.appendChild(make('span', 'proof', told[2] + ' · ' + words.source + ' ' + told[3] + ' · ' + told[4]));
    if (told[5]) { value.appendChild(make('span', 'note', words.disputed + ' ' + told[5])); }
  }

  function fill(panel, feature) {
    panel.textContent = '';
    var button = panel.appendChild(make('button', 'close', words.close));
    button.type = 'button';
    button.addEventListener('click', close);
    var head = panel.appendChild(make('h2', '', feature.name));
    head.id = 'panel-name';
    head.tabIndex = -1;
    panel.appendChild(make('p', '', feature.says));
    var list = panel.appendChild(make('dl'));
    feature.facts.forEach(function (told) { fact(list, told); });
    if (!feature.facts.length) { panel.appendChild(make('p', '', words.no_facts)); }
    list.appendChild(make('dt', '', words.where));
    list.appendChild(make('dd', '', feature.where));
    var link = panel.appendChild(make('p')).appendChild(make('a', '', words.open));
    link.href = '../' + feature.table + '/' + encodeURIComponent(feature.id) + '/index.html';
    return head;
  }

  function show(id, moveFocus) {
    var feature = records[id];
    var panel = document.getElementById('panel');
    if (!feature) { return false; }
    if (open) { mark(open, false); }
    var head = fill(panel, feature);
    panel.hidden = false;
    open = feature;
    mark(feature, true);
    feature.back = moveFocus ? document.activeElement : null;
    if (moveFocus) { head.focus({ preventScroll: false }); }
    return true;
  }

  function zoomTo(made, feature) {
    if (!made.hasLayer(feature.group)) { return; }
    if (feature.lines) {
      made.fitBounds(feature.group.getBounds(), { maxZoom: 12, animate: false });
    } else {
      made.setView(feature.at, Math.max(made.getZoom(), 12), { animate: false });
    }
  }

  function count(made, table) {
    return Object.keys(records).filter(function (id) {
      return records[id].table === table && made.hasLayer(records[id].marker);
    }).length;
  }

  /* The layer control stands in the legend, each name beside its symbol. */
  function legend(control, layers) {
    var symbols = document.getElementById('layer-symbols');
    document.getElementById('layer-control').appendChild(control.getContainer());
    var labels = control.getContainer().querySelectorAll('label > span');
    layers.forEach(function (pair, i) {
      var symbol = symbols.querySelector('[data-layer="' + pair[0] + '"] svg');
      if (labels[i] && symbol) { labels[i].insertBefore(symbol.cloneNode(true), labels[i].lastElementChild); }
    });
    symbols.hidden = true;
  }

  function credit(made) {
    var line = L.control.attribution({ prefix: false }).addTo(made);
    var there = document.querySelectorAll('#credits li');
    Array.prototype.forEach.call(there, function (item) {
      line.addAttribution(item.textContent.replace(/[&<>"']/g, function (sign) {
        return '&#' + sign.charCodeAt(0) + ';';
      }));
    });
  }

  function list(made) {
    document.getElementById('records').addEventListener('click', function (event) {
      var link = event.target.closest('a[data-id]');
      var plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
      if (link && plain && event.button === 0 && show(link.dataset.id, true)) {
        event.preventDefault();
        zoomTo(made, records[link.dataset.id]);
        open.back = link;
      }
    });
    document.addEventListener('keydown', function (event) {
      if (event.key === 'Escape') { close(); }
    });
  }

  function begin(parts) {
    var root = document.documentElement.dataset;
    if (data.aside) { named(spot(data.aside, 0), words.aside, 'aside').addTo(parts.map); }
    legend(parts.control, parts.layers);
    credit(parts.map);
    list(parts.map);
    root.placesDrawn = count(parts.map, 'places');
    root.routesDrawn = count(parts.map, 'routes');
    root.mapReady = 'true';
    /* The list has an entry of that id too; the browser goes there, the reader wants the map. */
    function follow() {
      var id = location.hash.slice(1);
      if (show(id, false)) {
        zoomTo(parts.map, records[id]);
        parts.map.getContainer().scrollIntoView({ block: 'start' });
      }
    }
    addEventListener('hashchange', follow);
    addEventListener('load', follow);
    follow();
  }

  globalThis.Atlas = { map: map, layer: layer, begin: begin };
})();
