// Mends of the theme that only the browser can make: the words of a search are highlighted, and Escape closes.
(() => {
  "use strict";

  // Fault: Sphinx highlights on pages without a `Search`, to skip the search page. The theme loads `Search`
  // on every page, so no page is highlighted. Sphinx looks in `div.body`, which the theme does not have, or
  // else in the navigation too: the class is there for as long as Sphinx looks.
  const container = document.querySelector("article.bd-article")?.parentElement;
  if (container && typeof SphinxHighlight !== "undefined" && DOCUMENTATION_OPTIONS.pagename !== "search") {
    container.classList.add("body");
    SphinxHighlight.highlightSearchWords();
    container.classList.remove("body");
  }

  // Fault: a menu stays open under the pointer when Escape is pressed, and so does a tooltip, also at the focus.
  // Bootstrap lets that key go no further than the document.
  addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape") return;
      if (typeof bootstrap !== "undefined") {
        for (const named of document.querySelectorAll("[aria-describedby]")) {
          bootstrap.Tooltip.getInstance(named)?.hide();
        }
      }
      const menus = ":is(.btn:hover + .dropdown-menu, .dropdown-menu:hover)";
      for (const menu of document.querySelectorAll(`.bd-header-article ${menus}`)) {
        const { style, parentElement: box } = /** @type {HTMLElement} */ (menu);
        style.display = "none";
        for (const name of ["pointerleave", "click"]) {
          box?.addEventListener(name, () => style.removeProperty("display"), { once: true, capture: true });
        }
      }
    },
    true,
  );
})();
