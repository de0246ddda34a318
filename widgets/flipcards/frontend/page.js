// @ts-check
// The host of a built page: enhances every section of cards on it.

import { enhance } from "./cards.js";

for (const section of document.querySelectorAll("section.flipcards")) {
  // Only the page that a card calls home has an address for it.
  if (section instanceof HTMLElement) enhance(section, { link: (card) => card.id && `#${encodeURIComponent(card.id)}` });
}
