// @ts-check
// Turns a list of questions that open into cards that turn: the one enhancement both hosts use.

import { element, frontOf } from "./dom.js";
import { dress, spokenAnswer, tagsOf } from "./faces.js";
import { gridsOf } from "./grids.js";
import { listenForKeys } from "./keys.js";
import { followLandings } from "./landing.js";
import { keepSizes } from "./sizes.js";
import { keyHelp, toolbar } from "./toolbar.js";
import { initialView, isShown, showAll, shuffle, sideToShow, toggleTag } from "./view.js";
import { words } from "./words.js";

const told = words("page");

/**
 * What the host of the cards offers. Any part may be missing.
 *
 * @typedef {object} Store
 * @property {(card: HTMLElement) => string} [link]  The address of a card; "" where it has none.
 * @property {(section: HTMLElement, cards: string[], onEnd: () => void) => Promise<() => void>} [study]
 *   Begins to study these cards in the section, and gives the function that ends it. `onEnd` is called
 *   when the reader leaves the session.
 */

const OTHER_CONTROLS = "a,audio,button,input,label,select,summary,textarea,video";

/** @type {WeakMap<HTMLElement, () => void>} */
const enhanced = new WeakMap();

/**
 * Enhance a section of cards. Calling it again on the same section changes nothing.
 *
 * The cards stay `<details>`: the question is the control, the closed answer is hidden from everybody
 * alike, and what the browser does with details (find in page, expanded or collapsed) goes on working.
 *
 * @param {HTMLElement} section  `<section class="flipcards">`, as Python writes it.
 * @param {Store} [store]
 * @returns {() => void}  Ends it: nothing listens or waits any more. The host takes the section away.
 */
export function enhance(section, store = {}) {
  const known = enhanced.get(section);
  if (known) return known;

  const ending = new AbortController();
  const { signal } = ending;
  const cards = [.../** @type {NodeListOf<HTMLDetailsElement>} */ (section.querySelectorAll("details.flipcard"))];
  const own = new Set(cards);
  let view = initialView(cards.map(tagsOf));
  const shownCards = () => view.order.flatMap((n) => (isShown(view, n) && cards[n] ? [cards[n]] : []));

  const cardOf = (/** @type {EventTarget | null} */ target) => {
    const card = target instanceof Element ? target.closest("details.flipcard") : null;
    return card instanceof HTMLDetailsElement && own.has(card) ? card : null;
  };
  // A host may keep its widgets in a shadow tree.
  const focused = () => /** @type {Document | ShadowRoot} */ (section.getRootNode()).activeElement;

  // --- One card ---

  // The same text node all along: a new one makes the browser look at every style of a large deck again.
  const said = new Text();
  const status = element("p", "flipcards-status", "", { role: "status" });
  status.append(said);
  const say = (/** @type {string} */ words) => {
    said.data = words;
  };
  section.addEventListener("focusout", () => say(""), { signal });

  const prepare = (/** @type {HTMLDetailsElement} */ card) => dress(card, store.link?.(card), told("link"));

  section.addEventListener(
    "toggle",
    ({ target }) => {
      const card = cardOf(target);
      if (card === target && card?.contains(focused())) say(card.open ? spokenAnswer(card) : "");
    },
    { capture: true, signal }, // toggle does not bubble
  );

  // The question turns its card by itself; here the rest of the card does so too.
  section.addEventListener(
    "click",
    ({ target }) => {
      const card = cardOf(target);
      if (!card || !(target instanceof Element) || target.closest(OTHER_CONTROLS)) return;
      const selection = getSelection();
      if (selection && !selection.isCollapsed && card.contains(selection.anchorNode)) return;
      card.open = !card.open;
      frontOf(card).focus({ preventScroll: true });
    },
    { signal },
  );

  // --- All cards ---

  const show = () => {
    grids.show(shownCards());
    sizes.measure();
  };
  let turning = 0;
  const turn = (/** @type {HTMLDetailsElement[]} */ queue, /** @type {boolean} */ open) => {
    for (const card of queue.splice(0, 64)) card.open = open; // of one task
    if (queue.length) turning = setTimeout(turn, 0, queue, open);
  };
  const flipAll = () => {
    clearTimeout(turning);
    const shown = shownCards();
    const open = sideToShow(shown.map((card) => card.open));
    const near = shown.filter(sizes.isNear);
    turn([...new Set([...near, ...shown])], open);
    say(open ? told("answersShown") : told("answersHidden"));
  };
  const shuffleCards = () => {
    const card = cardOf(focused());
    view = shuffle(view, Math.random);
    show();
    if (card) focus(shownCards()[0]);
    say(told("shuffled"));
  };
  const choose = (/** @type {string | null} */ tag) => {
    view = tag === null ? showAll(view) : toggleTag(view, tag);
    show();
    say(update(view));
  };
  /** @type {HTMLDialogElement | undefined} */
  let help;
  const showKeys = () => {
    help ??= keyHelp();
    if (!help.isConnected) section.prepend(help);
    help.showModal();
  };
  const { bar, update, setMode } = toolbar(view, {
    flipAll,
    shuffle: shuffleCards,
    choose,
    showKeys,
    ...(store.study && { browse: () => browse(), study: () => study() }),
  });

  // --- Study, which the host brings ---

  /** @type {(() => void) | null} */
  let endStudy = null;
  const browse = () => {
    endStudy?.();
    endStudy = null;
    setMode(false);
    sizes.measure();
  };
  const study = async () => {
    if (endStudy || !store.study) return;
    endStudy = () => {};
    setMode(true);
    try {
      const cards = shownCards().map((card) => card.dataset.card ?? "");
      const end = await store.study(section, cards, browse);
      if (!endStudy) return end(); // the reader went back meanwhile
      endStudy = end;
    } catch (error) {
      console.warn("flipcards:", error);
      browse();
      say(told("noStudy"));
    }
  };

  // --- Keys ---

  const focus = (/** @type {HTMLDetailsElement | undefined} */ card) => {
    if (card) frontOf(card).focus();
  };
  const step = (/** @type {1 | -1} */ by) => (/** @type {HTMLDetailsElement | null} */ card) => {
    const shown = shownCards();
    if (!card) return false;
    focus(shown[shown.indexOf(card) + by]);
  };
  const actions = { ArrowRight: step(1), ArrowLeft: step(-1), f: flipAll, s: shuffleCards, "?": showKeys };
  listenForKeys(section, actions, cardOf, signal);

  // --- Begin, and end ---

  section.classList.add("flipcards-dealt");
  section.querySelector(":scope > .flipcards-place")?.remove(); // which only held the place of this one
  section.prepend(status);
  if (cards.length > 1 || (cards.length && store.study)) section.prepend(bar);
  update(view);
  const grids = gridsOf(section, cards);
  const sizes = keepSizes(section, prepare, signal);
  followLandings(
    section,
    (card) => {
      if (endStudy) browse();
      if (!shownCards().includes(card)) choose(null);
      grids.finish();
      card.open = true;
    },
    signal,
  );

  const end = () => {
    endStudy?.();
    ending.abort();
    clearTimeout(turning);
    grids.end();
    enhanced.delete(section);
  };
  enhanced.set(section, end);
  return end;
}
