// @ts-check
// Which cards are shown and in what order: pure functions of a state, without the DOM.

/**
 * @typedef {object} View
 * @property {readonly (readonly string[])[]} tags  The tags of each card, in the order of the deck.
 * @property {readonly number[]} order  Card numbers (from 0) in the order they are shown.
 * @property {ReadonlySet<string>} chosen  The tags to show. None chosen: every card.
 */

/**
 * The view of a deck as it was written.
 *
 * @param {readonly (readonly string[])[]} tags  The tags of each card.
 * @returns {View}
 */
export function initialView(tags) {
  return { tags, order: [...tags.keys()], chosen: new Set() };
}

/**
 * The view in a new order, every order being equally likely (Fisher–Yates).
 *
 * @param {View} view
 * @param {() => number} rng  Uniform on [0, 1).
 * @returns {View}
 */
export function shuffle(view, rng) {
  const order = [...view.order];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(rng() * (last + 1));
    [order[last], order[other]] = /** @type {[number, number]} */ ([order[other], order[last]]);
  }
  return { ...view, order };
}

/**
 * The view with one more tag chosen, or one fewer if it was chosen already.
 *
 * @param {View} view
 * @param {string} tag
 * @returns {View}
 */
export function toggleTag(view, tag) {
  const chosen = new Set(view.chosen);
  if (!chosen.delete(tag)) chosen.add(tag);
  return { ...view, chosen };
}

/**
 * The view with no tag chosen: every card is shown.
 *
 * @param {View} view
 * @returns {View}
 */
export function showAll(view) {
  return { ...view, chosen: new Set() };
}

/**
 * Whether a card is shown: it has one of the chosen tags, or none is chosen.
 *
 * @param {View} view
 * @param {number} card  Its number in the deck, from 0.
 * @returns {boolean}
 */
export function isShown(view, card) {
  return view.chosen.size === 0 || (view.tags[card] ?? []).some((tag) => view.chosen.has(tag));
}

/**
 * The tags of a deck, each once, in the order in which they first appear.
 *
 * @param {View} view
 * @returns {string[]}
 */
export function allTags(view) {
  return [...new Set(view.tags.flat())];
}

/**
 * The side to which all cards turn: to the answers, unless every one shows its answer already.
 *
 * @param {Iterable<boolean>} open  For each shown card, whether its answer is visible.
 * @returns {boolean}
 */
export function sideToShow(open) {
  return [...open].includes(false);
}
