// @ts-check
// The host of a built page: enhances every section of cards on it, and loads the study session at first use.

import { enhance } from "./cards.js";
import { greet } from "./greet.js";

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

// Only the page that a card calls home has an address for it.
const link = (/** @type {HTMLElement} */ card) => card.id && `#${encodeURIComponent(card.id)}`;
/** @type {import("./cards.js").Store["study"]} */
const study = async (...asked) => (await load()).open(...asked);

const begin = (/** @type {HTMLElement} */ section) => {
  const enhanceNow = () => enhance(section, { link, ...(address && { study }) });
  // Where decks are gathered, few of them are ever opened.
  const closed = section.closest("details:not([open])");
  if (closed) closed.addEventListener("toggle", enhanceNow, { once: true });
  // A large deck has kept the parser busy: let the page be painted first.
  else if (section.querySelector(":scope > .flipcards-grid")) setTimeout(enhanceNow);
  else enhanceNow();
};

/** Whether the browser has read a part of the page to its end. */
const isRead = (/** @type {Node | null} */ part) => {
  if (document.readyState !== "loading") return part !== null;
  for (let one = part; one; one = one.parentNode) if (one.nextSibling) return true;
  return false;
};

/** @type {WeakSet<Element>} */
const begun = new WeakSet();
/** Begin with every section that is there by now. */
const look = () => {
  for (const section of document.querySelectorAll("section.flipcards")) {
    if (begun.has(section) || !(section instanceof HTMLElement)) continue;
    if (isRead(section)) {
      begun.add(section);
      begin(section);
    } else if (!section.closest("details:not([open])") && isRead(section.querySelector(":scope > .flipcards-grid"))) {
      greet(section, link);
    }
  }
};
// Nobody waits for the end of a long page. Frames are no clock for this: the first one is to show the cards.
const watch = () => {
  look();
  if (document.readyState === "loading") setTimeout(watch, 10);
};
watch();
document.addEventListener("DOMContentLoaded", look);
