// @ts-check
// Keys that act while the focus is within a section of cards.

/**
 * Listen for keys. Space and Enter are left to the question, which is a control.
 *
 * @param {HTMLElement} section
 * @param {Record<string, (card: HTMLDetailsElement | null) => boolean | void>} actions
 *   By key, letters in lower case; given the card with the focus. False: the key means nothing here.
 * @param {(target: EventTarget | null) => HTMLDetailsElement | null} cardOf  The card around an element.
 * @param {AbortSignal} signal  Ends it.
 */
export function listenForKeys(section, actions, cardOf, signal) {
  section.addEventListener(
    "keydown",
    (event) => {
      const { key, target } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
      // Where text is typed, in the list of keys and in what scrolls sideways, keys mean something else.
      if (target.closest("input,select,textarea,[contenteditable],dialog,.flipcard [tabindex]")) return;
      const action = actions[key.length === 1 ? key.toLowerCase() : key];
      const done = action && action(cardOf(target)) !== false;
      if (done) event.preventDefault();
      // The notebook or the theme around the cards has other plans with these keys.
      if (done || key === " " || key === "Enter") event.stopPropagation();
    },
    { signal },
  );
}
