// @ts-check
// Gives each card room for its longer side, so that turning one moves nothing else on the page.

import { backOf } from "./dom.js";

const ROOM = "--flipcards-answer";
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
  const rooms = cards.map((card) => {
    const answer = backOf(card).offsetHeight;
    return () => card.style.setProperty(ROOM, `${answer + 1}px`); // with the pixel that rounding may cost
  });
  const wide = cards
    .flatMap((card) => [...backOf(card).querySelectorAll(WIDE)])
    .filter((part) => part.scrollWidth > part.clientWidth + 1);
  for (const make of rooms) make();
  for (const part of wide) part.setAttribute("tabindex", "0"); // else no key scrolls it
  // From now on a closed answer takes no part in the layout. From the next frame on they move: in this one, an answer
  // that is put behind its question would swing there.
  for (const { classList } of grids) {
    classList.add("flipcards-sized");
    requestAnimationFrame(() => classList.add("flipcards-ready"));
  }
}

/**
 * Keep the room for the answers right while grids come near, and while the section changes its width.
 *
 * @param {HTMLElement} section  With its first grid in it.
 * @param {(card: HTMLDetailsElement) => void} prepare  Called before a card is measured, each time.
 * @param {AbortSignal} signal  Ends it.
 * @returns {{isNear: (card: HTMLElement) => boolean, measure: () => unknown}}
 *   Whether a card is in a grid near the screen, and a function that measures those again.
 */
export function keepSizes(section, prepare, signal) {
  /** @type {Set<Element>} */
  const near = new Set();
  let frame = 0;
  let width = 0; // when the cards were measured; 0 of a section that is hidden
  /** @type {Promise<void> | undefined} */
  let fonts; // asked for once

  const look = () => {
    const first = /** @type {HTMLElement | null} */ (section.querySelector(":scope > .flipcards-grid:not([hidden])"));
    if (first) near.add(first);
    for (const grid of near) {
      if (grid.isConnected) cardsIn(grid).forEach(prepare);
      else near.delete(grid);
    }
    return first;
  };
  const measure = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (signal.aborted) return;
    look();
    width = section.clientWidth; // before anything is written, so that it costs no layout of its own
    fonts ??= document.fonts.ready.then(measureSoon); // asked for that, the browser lays out the page
    makeRoom(near);
  };
  const measureSoon = () => {
    frame ||= requestAnimationFrame(measure);
  };

  // Few cards are measured after they are painted. Of many, what those off the screen are taken for until they come
  // near has to be known before an address leads to one of them: as high as one of the first grid. Written once: each
  // time, every style of a large deck is looked at again.
  const first = look();
  if (first && !first.matches(".flipcards-short")) {
    measure();
    section.style.setProperty("--flipcards-grid", `${first.offsetHeight / cardsIn(first).length}px`);
  }

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

  // Its first call comes with the first layout, in which the style sheet gave the answers room already.
  const observer = new ResizeObserver(() => {
    if (section.clientWidth !== width) measureSoon();
  });
  observer.observe(section);
  signal.addEventListener("abort", () => observer.disconnect());
  return { isNear: (card) => near.has(/** @type {Element} */ (card.parentElement)), measure };
}
