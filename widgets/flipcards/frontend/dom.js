// @ts-check
// Small helpers to make elements. Text is set as text: nothing here parses HTML.

/**
 * A new element with a class, text and attributes.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} className
 * @param {string} [text]
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, className, text = "", attributes = {}) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/**
 * The question of a card, which is the control that turns it.
 *
 * @param {HTMLDetailsElement} card
 * @returns {HTMLElement}
 */
export function frontOf(card) {
  return /** @type {HTMLElement} */ (card.querySelector(":scope > .flipcard-front"));
}

/**
 * The answer of a card.
 *
 * @param {HTMLDetailsElement} card
 * @returns {HTMLElement}
 */
export function backOf(card) {
  return /** @type {HTMLElement} */ (card.querySelector(":scope > .flipcard-back"));
}
