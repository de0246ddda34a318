// @ts-check
// Opens the card that a link or a search leads to: `#card-…` in the address, a highlighted word of the search.
// A link to the heading of the cards gives the first of them the focus, and leaves it closed.

/**
 * Follow links and search hits into the cards of a section.
 *
 * @param {HTMLElement} section
 * @param {(card: HTMLDetailsElement) => void} open  Shows the answer of a card, and the card if it is filtered out.
 * @param {AbortSignal} signal  Ends it.
 */
export function followLandings(section, open, signal) {
  const land = () => {
    const target = document.getElementById(fragment());
    if (target instanceof HTMLDetailsElement && section.contains(target)) {
      open(target);
      target.scrollIntoView();
    } else if (target && target === section.parentElement?.closest("section:not(:has(> h1))")) {
      // The heading right above the cards, which the top of the page is not.
      target.scrollIntoView();
      /** @type {HTMLElement | null} */ (section.querySelector(".flipcard-front"))?.focus({ preventScroll: true });
    }
  };
  land();
  addEventListener("hashchange", land, { signal });
  // Pictures and fonts that came late have moved the card.
  addEventListener("load", land, { signal, once: true });

  // Sphinx marks the words of a search some time after the page is parsed.
  const openMarked = () => {
    const marked = section.querySelectorAll(".flipcard .highlighted");
    for (const word of marked) {
      const card = word.closest(".flipcard");
      if (card instanceof HTMLDetailsElement) open(card);
    }
    const first = marked[0];
    if (first && !location.hash) scrollTo(first, signal);
    return marked.length > 0;
  };
  if (openMarked()) return;
  const observer = new MutationObserver(() => openMarked() && observer.disconnect());
  observer.observe(section, { childList: true, subtree: true });
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * Scroll to a word as soon as its card is drawn open: before that the browser does not scroll to it.
 *
 * @param {Element} word
 * @param {AbortSignal} signal
 */
function scrollTo(word, signal, frames = 60) {
  if (signal.aborted) return;
  const hidden = word.checkVisibility?.({ contentVisibilityAuto: true }) === false;
  if (hidden && frames) requestAnimationFrame(() => scrollTo(word, signal, frames - 1));
  else word.scrollIntoView({ block: "center", behavior: "instant" });
}

/** What follows the # of the address, decoded. */
function fragment() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ""; // a lone % is no id
  }
}
