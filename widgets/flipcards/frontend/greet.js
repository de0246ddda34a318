// @ts-check
// Lets the first cards of a large deck turn while the others are still on their way from Python.

import { element } from "./dom.js";
import { dress } from "./faces.js";
import { cardsIn } from "./sizes.js";

/**
 * Make cards that turn of the first ones of a section. `enhance` does the rest when all cards are there.
 *
 * @param {HTMLElement} section  With its first grid whole.
 */
export function greet(section) {
  const grid = section.querySelector(":scope > .flipcards-grid");
  if (!grid) return;
  section.classList.add("flipcards-dealt");
  // Where the bar will be, so that the cards stay where they are when it comes.
  section.prepend(element("div", "flipcards-bar flipcards-place"));
  for (const card of cardsIn(grid)) dress(card);
}
