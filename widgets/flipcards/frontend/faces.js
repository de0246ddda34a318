// @ts-check
// What a card's faces get from here: tags on the front, the question and a link on the back; the answer as spoken.

import { backOf, element, frontOf } from "./dom.js";

/**
 * The tags of a card.
 *
 * @param {HTMLElement} card
 * @returns {string[]}
 */
export function tagsOf(card) {
  return (card.dataset.tags ?? "").split(" ").filter(Boolean);
}

/**
 * Cards by id.
 *
 * @typedef {object} Faces
 * @property {string[]} ids  Each once, in the order of the page.
 * @property {(id: string) => HTMLDetailsElement | undefined} face
 */

/**
 * The cards in a part of a page.
 *
 * @param {ParentNode} part
 * @returns {Faces}
 */
export function facesIn(part) {
  /** @type {Map<string, HTMLDetailsElement>} */
  const found = new Map();
  for (const card of /** @type {NodeListOf<HTMLDetailsElement>} */ (part.querySelectorAll("details.flipcard"))) {
    const id = card.dataset.card ?? "";
    if (!found.has(id)) found.set(id, card);
  }
  return { ids: [...found.keys()], face: (id) => found.get(id) };
}

/** @type {WeakSet<HTMLElement>} */
const dressed = new WeakSet();

/**
 * Put the tags, the question and the link on the faces of a card, once. The build has written the question and the
 * link of a deck's first cards.
 *
 * @param {HTMLDetailsElement} card
 * @param {string} [address]  Where the card can be linked to; "" for no link.
 * @param {string} [words]  Of that link.
 */
export function dress(card, address = "", words = "") {
  if (dressed.has(card)) return;
  dressed.add(card);
  const back = backOf(card);
  const isWritten = back.querySelector(":scope > .flipcard-question");
  if (!isWritten) {
    // For the eye, which no longer sees the question; it is the name of the control that turns the card back.
    const question = element("div", "flipcard-question", "", { "aria-hidden": "true" });
    for (const part of frontOf(card).childNodes) question.append(part.cloneNode(true));
    back.prepend(question);
  }
  const tags = tagsOf(card);
  if (tags.length) {
    // Not in the name of the control; the filter above the cards says the same tags.
    const list = element("span", "flipcard-tags", "", { "aria-hidden": "true" });
    for (const tag of tags) list.append(element("span", "", tag));
    frontOf(card).prepend(list);
  }
  if (address && !isWritten) {
    const link = element("a", "flipcard-link", words, { href: address });
    const foot = back.querySelector(":scope > .flipcard-foot") ?? element("footer", "flipcard-foot");
    foot.append(link);
    back.append(foot);
  }
}

/**
 * The answer of a card as it is announced, without notes and links.
 *
 * @param {HTMLDetailsElement} card
 * @returns {string}
 */
export function spokenAnswer(card) {
  return spoken(backOf(card));
}

/**
 * The words of a face: without the second copy that math has, without what the front end added.
 *
 * @param {HTMLElement} face
 * @returns {string}
 */
export function spoken(face) {
  const copy = /** @type {HTMLElement} */ (face.cloneNode(true));
  const silent = ".flipcard-why,.flipcard-foot,[aria-hidden=true],annotation";
  for (const part of copy.querySelectorAll(silent)) part.remove();
  return (copy.textContent ?? "").replace(/\s+/g, " ").trim();
}
