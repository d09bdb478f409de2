/* Small things that every script of the map page needs. Text is only ever set as text. */
'use strict';
(() => {
  const SVG = 'http://www.w3.org/2000/svg';

  /** @type {AtlasScripts['base']['make']} */
  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) { element.className = name; }
    if (text) { element.textContent = text; }
    return element;
  }

  /** @type {AtlasScripts['base']['svg']} */
  function svg(tag, told) {
    const element = document.createElementNS(SVG, tag);
    Object.entries(told).forEach(([key, value]) => element.setAttribute(key, String(value)));
    return element;
  }

  /** @type {AtlasScripts['base']['use']} */
  function use(symbol, name, [x, y, width, height]) {
    return svg('use', { href: `#${symbol}`, class: name, x, y, width, height });
  }

  /** @type {AtlasScripts['base']['button']} */
  function button(text, act, name) {
    const element = make('button', name, text);
    element.type = 'button';
    element.addEventListener('click', act);
    return element;
  }

  /** @type {AtlasScripts['base']['byId']} */
  function byId(id) {
    const element = document.getElementById(id);
    if (!element) { throw new Error(`the page has no #${id}`); }
    return element;
  }

  /** @param {string} id @returns {HTMLInputElement} */
  const input = (id) => /** @type {HTMLInputElement} */ (byId(id));

  /** The words that came with the filters, once they are there. */
  const find = () => globalThis.ATLAS_FIND;

  /** @type {AtlasScripts['base']['say']} */
  function say(key, values = {}) {
    const words = find() ? find().words : {};
    const text = words[key] || ATLAS_LAYERS.words[key] || key;
    return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
  }

  /** @param {string} text */
  function tell(text) { byId('told').textContent = text; }

  const lang = document.documentElement.lang === 'vi' ? 'vi-VN' : 'en-GB';

  /** @param {number} value @param {number} [places] */
  function number(value, places = 2) {
    return new Intl.NumberFormat(lang, { maximumFractionDigits: places }).format(value);
  }

  const wide = () => matchMedia('(min-width: 62rem)').matches;

  const base = { make, svg, use, button, byId, input, say, tell, number, find, wide };
  globalThis.Atlas = /** @type {AtlasScripts} */ ({ base });
})();
