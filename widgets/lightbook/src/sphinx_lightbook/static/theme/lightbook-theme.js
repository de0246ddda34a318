// Mends of the theme that only the browser can make: words of a search, and search from a disk.
(() => {
  "use strict";

  // Fault: a page opened from a disk may not fetch others, so that each result of a search ends in an error.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  // Fault: Sphinx highlights on pages without a `Search`, to skip the search page. The theme loads `Search`
  // on every page, so no page is highlighted. Sphinx looks in `div.body`, which the theme does not have, or
  // else in the navigation too: the class is there for as long as Sphinx looks.
  const container = document.querySelector("article.bd-article")?.parentElement;
  if (container && typeof SphinxHighlight !== "undefined" && DOCUMENTATION_OPTIONS.pagename !== "search") {
    container.classList.add("body");
    SphinxHighlight.highlightSearchWords();
    container.classList.remove("body");
  }
})();
