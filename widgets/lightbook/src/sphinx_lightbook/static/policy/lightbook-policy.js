// What the theme's buttons do on a click. The theme says it in `onclick`, and Sphinx in the address of a link;
// a strict policy forbids both.
(() => {
  "use strict";

  /** @type {Record<string, () => void>} */
  const actions = {
    print: () => window.print(),
    // @ts-expect-error defined by the book theme
    "full-screen": () => window.toggleFullScreen(),
  };

  const HIDE = 'a[href="javascript:SphinxHighlight.hideSearchWords()"]';

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest(`[data-lightbook-click], ${HIDE}`) : null;
    if (target?.matches(HIDE)) {
      event.preventDefault();
      SphinxHighlight.hideSearchWords();
    }
    actions[target?.getAttribute("data-lightbook-click") ?? ""]?.();
  });
})();
