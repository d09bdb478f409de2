/* Which hand reaches the controls: the map's buttons and the sheet's own stand on that side. */
'use strict';
Atlas.hand = (() => {
  const KEPT_AS = 'atlas.hand';
  /** @type {Record<string, L.ControlPosition>} */
  const AT = { '': 'topleft', left: 'bottomleft', right: 'bottomright' };

  function kept() {
    try {
      return localStorage.getItem(KEPT_AS) || '';
    } catch {
      return '';
    }
  }

  /** @param {string} side */
  function set(side) {
    const hand = side in AT ? side : '';
    document.documentElement.dataset.hand = hand;
    Atlas.page.map.zoomControl.setPosition(AT[hand]);
    document.querySelectorAll('[name="hand"]').forEach((one) => {
      const dot = /** @type {HTMLInputElement} */ (one);
      dot.checked = dot.value === hand;
    });
  }

  function build() {
    set(kept());
    Atlas.base.byId('hand').addEventListener('change', (event) => {
      const side = /** @type {HTMLInputElement} */ (event.target).value;
      set(side);
      try {
        localStorage.setItem(KEPT_AS, side);
      } catch {
        // storage is blocked or full: the side holds as long as the page
      }
    });
  }

  return { build };
})();
