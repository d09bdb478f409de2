/* The button that prints the page; without it the browser's own command does the same. */
'use strict';
document.getElementById('print-sheet')?.addEventListener('click', () => globalThis.print());
