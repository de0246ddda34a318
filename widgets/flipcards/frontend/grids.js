// @ts-check
// Lays the cards out in grids of a few rows each, which the browser skips while they are off the screen.

import { element } from "./dom.js";

const GRID = 24; // cards in a grid: whole rows of 1, 2, 3 or 4 columns
const SLICE = 2; // grids laid out in one task: the theme's icons look through what is moved

/**
 * @typedef {object} Grids
 * @property {(cards: readonly HTMLElement[]) => void} show
 *   Lay out these cards and no others: the first ones at once, the rest in short tasks.
 * @property {() => void} finish  Lay out what is left of them now.
 * @property {() => void} end  Lay out no more.
 */

/**
 * The grids of a section. Python has made them already where the cards are many; else the first is made here.
 *
 * @param {HTMLElement} section
 * @param {readonly HTMLElement[]} cards  All of them, in the order of the deck.
 * @returns {Grids}
 */
export function gridsOf(section, cards) {
  const made = /** @type {HTMLElement[]} */ ([...section.querySelectorAll(":scope > .flipcards-grid")]);
  let grids = made;
  /** @type {HTMLElement[]} */
  let retired = []; // they keep the cards that are not shown
  /** @type {HTMLElement[]} */
  let queue = [];
  let timer = 0;

  const lay = (/** @type {number} */ count) => {
    for (; count && queue.length; count--) {
      const grid = element("div", `flipcards-grid${cards.length > GRID ? "" : " flipcards-short"}`);
      grid.append(...queue.splice(0, GRID));
      const last = grids.at(-1);
      if (last) last.after(grid);
      else section.append(grid);
      grids.push(grid);
    }
    if (queue.length) {
      timer = setTimeout(lay, 0, SLICE);
      return;
    }
    for (const grid of retired) if (!grid.firstElementChild) grid.remove();
    retired = retired.filter((grid) => grid.firstElementChild);
  };
  const show = (/** @type {readonly HTMLElement[]} */ shown) => {
    clearTimeout(timer);
    for (const grid of grids) grid.hidden = true;
    retired = [...retired, ...grids];
    grids = [];
    queue = [...shown];
    lay(1);
  };

  if (!made.length) show(cards);
  return {
    show,
    finish() {
      clearTimeout(timer);
      lay(Infinity);
    },
    end: () => clearTimeout(timer),
  };
}
