/* Text as one searches for it: without accents, đ as d, in small letters, single spaces. */
'use strict';
/* As `atlas.search.folded` folds the index. */
/** @param {string} text @returns {string} */
globalThis.atlasFold = (text) => {
  const bare = text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/[đĐ]/g, 'd');
  return bare.toLowerCase().split(/\s+/).filter(Boolean).join(' ');
};
