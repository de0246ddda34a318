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
const address = /** @type {HTMLElement | null} */ (document.querySelector("script[data-study]"))?.dataset.study;

/** @type {Promise<Study> | undefined} */
let loading;
const ready = () => /** @type {{flipcardsStudy?: Study}} */ (globalThis).flipcardsStudy;
const load = () =>
  (loading ??= new Promise((resolve, reject) => {
    // A classic script: browsers load no module from file://.
    const script = document.createElement("script");
    const settle = () => {
      const study = ready();
      if (study) return resolve(study);
      loading = undefined; // it may come the next time
      script.remove();
      reject(script.src);
    };
    if (ready()) return settle();
    script.onload = script.onerror = settle;
    script.src = address ?? "";
    document.head.append(script);
  }));

// Only the page that a card calls home has an address for it.
const link = (/** @type {HTMLElement} */ card) => card.id && `#${card.id}`;
/** @type {import("./cards.js").Store["study"]} */
const study = async (...asked) => (await load()).open(...asked);

/**
 * Whether nobody looks at a section yet. Asked where it is, the browser would lay out the whole page: what comes
 * before it is counted. Who comes from a search is led to a word in a card.
 */
const canWait = (/** @type {HTMLElement} */ section) => {
  try {
    if (localStorage.sphinx_highlight_terms || location.search) return false;
  } catch {
    return false;
  }
  // More elements than the first screen has, formulas and code included.
  return [...(section.closest("article,main")?.querySelectorAll("*") ?? [])].indexOf(section) > 500;
};

const enhanceInTime = (/** @type {HTMLElement} */ section) => {
  const closed = section.closest("details:not([open])");
  const enhanceNow = () => void enhance(section, { link, ...(address && { study }) });
  // Where decks are gathered, few of them are ever opened.
  if (closed) closed.addEventListener("toggle", enhanceNow);
  else if (canWait(section)) {
    const look = (/** @type {IntersectionObserverEntry[]} */ seen, /** @type {IntersectionObserver} */ watch) => {
      if (!seen.at(-1)?.isIntersecting) return;
      watch.disconnect();
      enhanceNow();
    };
    new IntersectionObserver(look, { rootMargin: "100%" }).observe(section);
  } else enhanceNow();
};

/** @type {WeakSet<Element>} */
const begun = new WeakSet();
const look = () => {
  for (const section of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("section.flipcards"))) {
    if (begun.has(section)) continue;
    begun.add(section);
    enhanceInTime(section);
  }
};
// The build has dealt the first cards of a deck, and the style sheet turns them: let them be painted first.
const begin = () => requestAnimationFrame(() => setTimeout(look));
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
document.addEventListener("flipcards", look);
