/* Draws tiled communes and waterways below the records, and names them from near. */
'use strict';
Atlas.ground = (() => {
  const NAMES_FROM_ZOOM = 10.25;
  const WATER_FROM_ZOOM = 12;
  const WATER = 1;

  /** @type {AtlasScripts['ground']['draw']} */
  function draw(pen, tiles, colourOf) {
    const { map, layers } = Atlas.page;
    const has = (/** @type {string} */ name) => layers.some(([id, layer]) => id === name && map.hasLayer(layer));
    const shown = [has('communes'), has('waterways')];
    /** @type {Map<string, { x: number, y: number, area: number, look: number }>} */
    const names = new Map();
    tiles.forEach(({ spot, features }) => {
      const scale = spot.size / spot.extent;
      pen.save();
      pen.beginPath();
      pen.rect(spot.left, spot.top, spot.size, spot.size);
      pen.clip();
      features.forEach((one) => {
        if (one.n >= 0 || !shown[one.look]) { return; }
        shape(pen, one, spot, scale, colourOf);
        const [west, north, east, south] = one.box;
        const area = (east - west + 1) * (south - north + 1);
        if (one.name && area > (names.get(one.name)?.area || 0)) {
          names.set(one.name, { x: spot.left + ((west + east) / 2) * scale, y: spot.top + ((north + south) / 2) * scale, area, look: one.look });
        }
      });
      pen.restore();
    });
    const zoom = map.getZoom();
    if (zoom < NAMES_FROM_ZOOM) { return; }
    pen.font = '11px system-ui, sans-serif';
    pen.textAlign = 'center';
    pen.lineWidth = 3;
    pen.lineJoin = 'round';
    names.forEach(({ x, y, look }, name) => {
      if (look === WATER && zoom < WATER_FROM_ZOOM) { return; }
      pen.strokeStyle = colourOf('land');
      pen.fillStyle = colourOf(look === WATER ? 'canal' : 'soft');
      pen.strokeText(name, x, y + 18);
      pen.fillText(name, x, y + 18);
    });
    pen.textAlign = 'start';
  }

  /** @param {CanvasRenderingContext2D} pen @param {TileFeature} one @param {Spot} spot @param {number} scale @param {(name: string) => string} colourOf */
  function shape(pen, one, spot, scale, colourOf) {
    pen.beginPath();
    one.rings.forEach((ring) => {
      if (one.type === 1) { pen.arc(spot.left + ring[0] * scale, spot.top + ring[1] * scale, 3, 0, 2 * Math.PI); }
      pen.moveTo(spot.left + ring[0] * scale, spot.top + ring[1] * scale);
      for (let i = 2; i < ring.length; i += 2) { pen.lineTo(spot.left + ring[i] * scale, spot.top + ring[i + 1] * scale); }
      if (one.type === 3) { pen.closePath(); }
    });
    pen.fillStyle = colourOf(one.type === 1 ? 'soft' : 'land');
    if (one.type !== 2) { pen.fill('evenodd'); }
    pen.strokeStyle = colourOf(one.look === WATER ? 'water' : 'border');
    pen.lineWidth = one.look === WATER ? 1.5 : 1;
    if (one.type !== 1) { pen.stroke(); }
  }

  return { draw };
})();
