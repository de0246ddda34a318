// @ts-check
// The cards of the whole book on the Today page. Each deck waits there in a <noscript>, which a browser that runs
// scripts keeps as text, until its reader or a session wants a card of it.

/**
 * The cards that wait in a part of a page. Asking for one brings its deck to its place.
 *
 * @param {ParentNode} part
 * @returns {import("./faces.js").Faces}
 */
export function gathered(part) {
  /** @type {Map<string, HTMLElement>} */
  const decks = new Map();
  for (const deck of waiting(part)) for (const id of (deck.dataset.cards ?? "").split(" ")) decks.set(id, deck);
  return {
    ids: [...decks.keys()],
    face(id) {
      const deck = decks.get(id);
      return deck && unfold(deck).get(id);
    },
  };
}

/**
 * Bring each deck to its place when its reader opens it.
 *
 * @param {ParentNode} part
 * @param {() => void} onOpen  Called after that.
 */
export function unfoldWhenOpened(part, onOpen) {
  for (const deck of waiting(part)) {
    deck.parentElement?.addEventListener("toggle", () => {
      unfold(deck);
      onOpen();
    });
  }
}

/**
 * @param {ParentNode} part
 * @returns {NodeListOf<HTMLElement>}
 */
const waiting = (part) => part.querySelectorAll("noscript[data-cards]");

/** @type {WeakMap<HTMLElement, Map<string, HTMLDetailsElement>>} */
const unfolded = new WeakMap();

/**
 * Put the cards of a deck in its place, once.
 *
 * @param {HTMLElement} deck
 * @returns {Map<string, HTMLDetailsElement>}  By id.
 */
function unfold(deck) {
  const known = unfolded.get(deck);
  if (known) return known;
  const read = document.createElement("template");
  read.innerHTML = deck.textContent ?? ""; // HTML of this page, as the build wrote it
  /** @type {NodeListOf<HTMLDetailsElement>} */
  const cards = read.content.querySelectorAll("details.flipcard");
  const byId = new Map([...cards].map((card) => [card.dataset.card ?? "", card]));
  unfolded.set(deck, byId);
  deck.replaceWith(read.content);
  return byId;
}
