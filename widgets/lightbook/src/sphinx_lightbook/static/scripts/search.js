// Gives the field of the search page the focus, as the theme does.
(() => {
  "use strict";
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("form.bd-search input"));
  if (DOCUMENTATION_OPTIONS.pagename !== "search" || !field) return;
  field.focus();
  field.select();
})();
