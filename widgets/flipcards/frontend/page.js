// @ts-check
// The host of a built page: enhances every section of cards on it, and loads the study session at first use.

import { enhance } from "./cards.js";

/**
 * What study.js offers to the page.
 *
 * @typedef {object} Study
 * @property {NonNullable<import("./cards.js").Store["study"]>} open
 */

// The page says where study.js is; a page made without that has no study.
const address = document.querySelector("script[data-study]")?.getAttribute("data-study");

/** @type {Promise<Study> | undefined} */
let loading;
const load = () =>
  (loading ??= new Promise((resolve, reject) => {
    const ready = () => /** @type {{flipcardsStudy?: Study}} */ (globalThis).flipcardsStudy;
    const there = ready();
    if (there) return resolve(there);
    // A classic script: browsers load no module from file://.
    const script = document.createElement("script");
    const settle = () => {
      const study = ready();
      if (study) return resolve(study);
      loading = undefined; // it may come the next time
      script.remove();
      reject(new Error(`${address} could not be loaded`));
    };
    script.addEventListener("load", settle);
    script.addEventListener("error", settle);
    script.src = address ?? "";
    document.head.append(script);
  }));

for (const section of document.querySelectorAll("section.flipcards")) {
  if (!(section instanceof HTMLElement)) continue;
  // Only the page that a card calls home has an address for it.
  const link = (/** @type {HTMLElement} */ card) => card.id && `#${encodeURIComponent(card.id)}`;
  /** @type {import("./cards.js").Store["study"]} */
  const study = async (...asked) => (await load()).open(...asked);
  const begin = () => enhance(section, { link, ...(address && { study }) });
  // Where decks are gathered, few of them are ever opened.
  const closed = section.closest("details:not([open])");
  if (closed) closed.addEventListener("toggle", begin, { once: true });
  // A large deck has kept the parser busy: let the page be painted first.
  else if (section.querySelector(":scope > .flipcards-grid")) setTimeout(begin);
  else begin();
}
