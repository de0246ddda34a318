// Gives the field of the search page the focus, as the theme does; loads the index where something is searched.
(() => {
  "use strict";
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("form.bd-search input"));
  if (DOCUMENTATION_OPTIONS.pagename !== "search" || !field) return;
  field.focus();
  field.select();
})();
(() => {
  "use strict";
  const index = /** @type {HTMLElement | null} */ (document.querySelector("script[data-index]"))?.dataset.index;
  if (index && new URLSearchParams(location.search).get("q")) Search.loadIndex(index);
})();
