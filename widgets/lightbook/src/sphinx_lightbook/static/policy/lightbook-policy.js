// What the theme's buttons do on a click. The theme says it in `onclick`, which a strict policy forbids.
(() => {
  "use strict";

  /** @type {Record<string, () => void>} */
  const actions = {
    print: () => window.print(),
    // @ts-expect-error defined by the book theme
    "full-screen": () => window.toggleFullScreen(),
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-lightbook-click]") : null;
    actions[target?.getAttribute("data-lightbook-click") ?? ""]?.();
  });
})();
