// @ts-check
// The words that the front end itself shows a reader: one catalogue, so that a translation is one table.

export const WORDS = {
  cards: "Cards",
  mode: "Browse or study",
  browse: "Browse",
  study: "Study",
  noStudy: "The study session could not be loaded. Reload the page to try again.",
  flipAll: "Flip all",
  shuffle: "Shuffle",
  keys: "Keys",
  filter: "Filter by tag",
  all: "All",
  link: "Link to this card",
  close: "Close",
  shuffled: "Cards shuffled.",
  answersShown: "All answers shown.",
  answersHidden: "All answers hidden.",
  /** @type {(shown: number, total: number) => string} */
  count: (shown, total) =>
    shown === total ? `${total} ${total === 1 ? "card" : "cards"}` : `${shown} of ${total} cards`,
  /** What each key does while the focus is on a card: the key, then the words. */
  keyHelp: [
    ["Space", "turn the card (Enter too)"],
    ["→", "next card"],
    ["←", "previous card"],
    ["F", "flip all cards"],
    ["S", "shuffle"],
    ["?", "show these keys"],
  ],
};

/** Apart, so that neither script carries the words of the other. */
export const FLIPBOOK_WORDS = {
  knobs: "Settings of the figure",
};
