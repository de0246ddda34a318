// @ts-check
// The host of a built page: enhances every section of cards on it.

import { enhance } from "./cards.js";

for (const section of document.querySelectorAll("section.flipcards")) {
  if (!(section instanceof HTMLElement)) continue;
  // Only the page that a card calls home has an address for it.
  const begin = () => enhance(section, { link: (card) => card.id && `#${encodeURIComponent(card.id)}` });
  // A large deck has kept the parser busy: let the page be painted first.
  if (section.querySelector(":scope > .flipcards-grid")) setTimeout(begin);
  else begin();
}
