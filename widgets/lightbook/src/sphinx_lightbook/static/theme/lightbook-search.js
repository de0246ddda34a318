// Mends of the theme where something is searched: from a disk, what a result shows, and where it leads.
(() => {
  "use strict";

  // Fault: a page opened from a disk may not fetch others, so that each result of a search ends in an error.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  if (typeof Search === "undefined") return;

  // Fault: an excerpt is cut where a stem stands ("flatteri"), which the text does not have. Then it shows
  // the page's buttons, which are part of what Sphinx takes for its text, and what its page wants in no excerpt.
  // And it shows code and the source of formulas. Code and footers within the text are read only where the words
  // are nowhere else. And a term runs into its definition.
  const blocks = "caption, dd, dt, figcaption, h1, h2, h3, h4, h5, h6, li, p, pre, summary, td, th";
  const unread =
    ".headerlink, script, style, [data-nosnippet], .katex-mathml, " +
    ".bd-header-article, .prev-next-area, .hide > summary";
  /** @type {(html: string, anchor: string | null, without: string) => string} */
  const textOf = (html, anchor, without) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll(without).forEach((element) => element.remove());
    page.querySelectorAll(blocks).forEach((element) => element.append(" "));
    const text = page.querySelector("article.bd-article") ?? page.querySelector("[role=main]");
    const part = (anchor && text?.querySelector(anchor)) || text;
    return (part?.textContent ?? "").replace(/\u200b/g, "").replace(/\s+/g, " "); // KaTeX has such spaces
  };
  const summarise = Search.makeSearchSummary;
  Search.makeSearchSummary = (html, stems, anchor) => {
    const query = new URLSearchParams(location.search).get("q") ?? "";
    const words = query.toLowerCase().split(/[^\p{L}\p{N}_]+/u).filter((word) => word !== "");
    const starts = [...stems].map((stem) => stem.slice(0, -1)).filter((start) => start.length > 2);
    const sought = [...starts, ...stems, ...words]; // the last that the text has counts
    const prose = textOf(html, anchor, `${unread}, .highlight, article footer`);
    const inProse = sought.some((word) => prose.toLowerCase().includes(word));
    const text = inProse ? prose : textOf(html, anchor, unread);
    Search.htmlToText = () => text;
    return summarise(html, sought, anchor);
  };

  // Fault: Sphinx leaves the words to be highlighted in the storage, for the first page that takes them. The
  // second hit that is opened in a tab has none, nor has a page that is faster than the storage. Sphinx reads
  // them from the address too, and takes them out of it.
  const search = Search.query;
  Search.query = (query) => {
    search(query);
    const words = localStorage.getItem("sphinx_highlight_terms") ?? "";
    const results = document.getElementById("search-results");
    if (!words || !results) return;
    const pass = () => {
      /** @type {NodeListOf<HTMLAnchorElement>} */
      const links = results.querySelectorAll("li > a:not([href*='?'])");
      for (const link of links) link.search = new URLSearchParams({ highlight: words }).toString();
    };
    pass();
    new MutationObserver(pass).observe(results, { childList: true, subtree: true });
  };
})();
