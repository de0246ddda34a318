// @ts-check
// Gives each card room for its longer side, so that turning one moves nothing else on the page.

import { backOf } from "./dom.js";

const WIDE = ".katex-display, table"; // what scrolls sideways where it does not fit

/**
 * The cards of a grid.
 *
 * @param {Element} grid
 */
export function cardsIn(grid) {
  return /** @type {HTMLDetailsElement[]} */ ([...grid.children]);
}

/**
 * Give the cards of these grids room for their answers.
 *
 * A closed answer is laid out only when its size is asked for, and only that one: a range asks for those of a grid
 * in one layout. Heights are read together and written together, for the same reason.
 *
 * @param {Iterable<Element>} grids
 */
export function makeRoom(grids) {
  const range = new Range();
  const cards = [...grids].flatMap((grid) => {
    range.selectNodeContents(grid);
    range.getBoundingClientRect();
    return cardsIn(grid);
  });
  const heights = cards.map((card) => backOf(card).offsetHeight);
  const wide = cards
    .flatMap((card) => [...backOf(card).querySelectorAll(WIDE)])
    .filter((part) => part.scrollWidth > part.clientWidth + 1);
  cards.forEach((card, i) => card.style.setProperty("--flipcards-answer", `${(heights[i] ?? 0) + 1}px`));
  for (const part of wide) part.setAttribute("tabindex", "0"); // else no key scrolls it
  // From now on they move. Until then an answer that is put behind its question would swing there.
  for (const grid of grids) grid.classList.add("flipcards-ready");
}

/**
 * What a grid off the screen is taken for until it comes near: as high as the first one.
 *
 * @param {HTMLElement} section
 */
export function guessGrids(section) {
  const first = section.querySelector(":scope > .flipcards-grid:not(.flipcards-short)");
  // Once: each time it is written, every style of a large deck is looked at again.
  if (first && !section.style.getPropertyValue("--flipcards-grid"))
    section.style.setProperty("--flipcards-grid", `${first.clientHeight}px`);
}

/**
 * Keep the room for the answers right while grids come near, and while the section changes its width.
 *
 * @param {HTMLElement} section  With its first grid in it.
 * @param {(card: HTMLDetailsElement) => void} prepare  Called before a card is measured, each time.
 * @param {AbortSignal} signal  Ends it.
 * @returns {{isNear: (card: HTMLElement) => boolean, measure: () => void}}
 *   Whether a card is in a grid near the screen, and a function that measures those again.
 */
export function keepSizes(section, prepare, signal) {
  /** @type {Set<Element>} */
  const near = new Set();
  let frame = 0;

  const measure = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    const first = section.querySelector(":scope > .flipcards-grid:not([hidden])");
    if (first) near.add(first);
    for (const grid of near) if (!grid.isConnected) near.delete(grid);
    for (const grid of near) cardsIn(grid).forEach(prepare);
    makeRoom(near);
  };
  const measureSoon = () => {
    frame ||= requestAnimationFrame(measure);
  };

  measure();
  guessGrids(section);

  section.addEventListener(
    "contentvisibilityautostatechange",
    (event) => {
      const grid = event.target;
      if (!(grid instanceof Element) || !grid.matches(".flipcards-grid")) return;
      if (/** @type {ContentVisibilityAutoStateChangeEvent} */ (event).skipped) {
        near.delete(grid);
      } else {
        near.add(grid);
        measureSoon();
      }
    },
    { signal },
  );
  section.addEventListener("load", measureSoon, { capture: true, signal }); // a picture came
  document.fonts.ready.then(() => signal.aborted || measureSoon());

  let width = section.clientWidth;
  const observer = new ResizeObserver(() => {
    if (section.clientWidth === width) return;
    width = section.clientWidth;
    measureSoon();
  });
  observer.observe(section);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  });
  return { isNear: (card) => near.has(/** @type {Element} */ (card.parentElement)), measure };
}
