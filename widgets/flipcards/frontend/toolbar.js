// @ts-check
// The bar above the cards, and the list of keys.

import { element } from "./dom.js";
import { allTags, isShown } from "./view.js";
import { words } from "./words.js";

const say = words("page");

/**
 * @typedef {object} Actions  What the buttons do.
 * @property {() => void} flipAll
 * @property {() => void} shuffle
 * @property {(tag: string | null) => void} choose  Choose a tag, or with null every card.
 * @property {() => void} showKeys
 * @property {() => void} [browse]
 * @property {() => void} [study]
 */

/**
 * The bar of a section.
 *
 * @param {import("./view.js").View} view  The view it starts with; its tags never change.
 * @param {Actions} actions
 * @returns {{
 *   bar: HTMLElement,
 *   update: (view: import("./view.js").View) => string,
 *   setMode: (studying: boolean) => void,
 * }}  The element, a function that shows a view in it and returns the words for what is shown, and one
 *   that shows whether the cards are studied. Leaving the study, the focus goes where it came from.
 */
export function toolbar(view, actions) {
  const bar = element("div", "flipcards-bar", "", { role: "group", "aria-label": say("cards") });
  const button = (/** @type {string} */ text, /** @type {() => void} */ action) => {
    const made = element("button", "flipcards-button", text, { type: "button" });
    made.addEventListener("click", action);
    return made;
  };
  /** @type {HTMLButtonElement[]} */
  let modes = [];
  if (actions.browse && actions.study) {
    modes = [button(say("browse"), actions.browse), button(say("study"), actions.study)];
    const group = element("div", "flipcards-modes", "", { role: "group", "aria-label": say("mode") });
    group.append(...modes);
    bar.append(group);
  }
  const setMode = (/** @type {boolean} */ studying) => {
    modes.forEach((mode, n) => mode.setAttribute("aria-pressed", `${studying === (n === 1)}`));
    if (!studying && bar.isConnected) modes[1]?.focus();
  };
  setMode(false);
  const count = element("span", "flipcards-count");
  if (view.order.length > 1) {
    bar.append(
      button(say("flipAll"), actions.flipAll),
      button(say("shuffle"), actions.shuffle),
      button(say("keys"), actions.showKeys),
    );
  }
  bar.append(count);

  const tags = allTags(view);
  /** @type {[string | null, HTMLButtonElement][]} */
  const filters = [];
  if (tags.length > 1) {
    const group = element("div", "flipcards-tags", "", { role: "group", "aria-label": say("filter") });
    for (const tag of [null, ...tags]) {
      const filter = button(tag ?? say("all"), () => actions.choose(tag));
      filters.push([tag, filter]);
      group.append(filter);
    }
    bar.append(group);
  }

  return {
    bar,
    setMode,
    update(view) {
      for (const [tag, filter] of filters) {
        const pressed = tag === null ? view.chosen.size === 0 : view.chosen.has(tag);
        filter.setAttribute("aria-pressed", `${pressed}`);
      }
      const shown = view.order.filter((card) => isShown(view, card)).length;
      return (count.textContent = counted(shown, view.order.length));
    },
  };
}

/**
 * How many cards are shown.
 *
 * @param {number} shown
 * @param {number} count  All of them.
 */
const counted = (shown, count) => (shown === count ? say("count", { count }) : say("countShown", { shown, count }));

/** What each key does while the focus is on a card; the first is Space. */
const KEYS = /** @type {const} */ ({
  "": "helpTurn",
  "→": "helpNext",
  "←": "helpPrevious",
  F: "helpFlipAll",
  S: "helpShuffle",
  "?": "helpKeys",
});

/**
 * The list of keys, as a dialog that is not open yet.
 *
 * @returns {HTMLDialogElement}
 */
export function keyHelp() {
  const dialog = element("dialog", "flipcards-keys", "", { "aria-label": say("keys") });
  const list = element("dl", "");
  for (const [key, what] of Object.entries(KEYS)) {
    const term = element("dt", "");
    term.append(element("kbd", "", key || say("space")));
    list.append(term, element("dd", "", say(what)));
  }
  const close = element("button", "flipcards-button", say("close"), { type: "button" });
  close.addEventListener("click", () => dialog.close());
  dialog.append(list, close);
  return dialog;
}
