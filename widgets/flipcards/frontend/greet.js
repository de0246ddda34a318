// @ts-check
// Lets the first cards of a large deck turn while the others are still on their way.

import { element } from "./dom.js";
import { dress } from "./faces.js";
import { cardsIn } from "./sizes.js";
import { words } from "./words.js";

/** In the section of a large deck. */
export const GRID = ":scope > .flipcards-grid";

/** @type {WeakMap<HTMLElement, HTMLElement>} */
const places = new WeakMap();

/**
 * Make cards that turn of the first ones of a section. `enhance` does the rest when all cards are there.
 *
 * @param {HTMLElement} section  With its first grid whole.
 * @param {(card: HTMLElement) => string} [link]  The address of a card; "" where it has none.
 */
export function greet(section, link = () => "") {
  const grid = section.querySelector(GRID);
  if (!grid || places.has(section)) return;
  section.classList.add("flipcards-turning");
  // Where the bar will be, so that the cards stay where they are when it comes.
  const place = element("div", "flipcards-bar");
  section.prepend(place);
  places.set(section, place);
  for (const card of cardsIn(grid)) dress(card, link(card), words("page")("link"));
}

/**
 * Take away what only greeted.
 *
 * @param {HTMLElement} section
 * @returns {boolean}  Whether the section was greeted: its first cards turn already.
 */
export function leave(section) {
  places.get(section)?.remove();
  return places.delete(section);
}
