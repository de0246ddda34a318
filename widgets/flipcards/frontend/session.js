// @ts-check
// A session of study within a section of cards: one card at a time, first its question, then its answer, then a rating.

import { backOf, element, frontOf } from "./dom.js";
import { dress, facesIn, spokenAnswer } from "./faces.js";
import { facetsOf, openOptions } from "./options.js";
import * as study from "./study.js";
import { words } from "./words.js";

const told = words("study");

/** @typedef {1 | 2 | 3 | 4} Rating */

/**
 * Which of the cards are studied.
 *
 * @typedef {object} Choice
 * @property {study.Kind} kind
 * @property {boolean} cram
 * @property {Partial<Record<import("./options.js").Facet, string>>} facets  What a card must have, such as a tag.
 * @property {number} extra_new  New cards beyond the daily limit.
 */

const CONTROLS = "a, audio, button, input, label, select, summary, textarea, video";
const WIDE = ".katex-display, table";
const MORE_NEW = 10;
const MINUTE_MS = 60_000;
const QUESTION = 0.4; // of the window's height, which a question takes at most for the sake of its answer

/**
 * Open a session in a section of cards.
 *
 * The faces are copies of the section's own cards, which stay where they are. Ratings go to the desk,
 * which keeps the log. The rest of the section is hidden while its class is `flipcards-studying`.
 *
 * @param {HTMLElement} section  `<section class="flipcards">`, or another element of that class with cards below it.
 * @param {import("./desk.js").Desk} desk
 * @param {object} [options]
 * @param {readonly string[]} [options.cards]  Ids of the cards to study, in order; all of the section when left out.
 * @param {import("./faces.js").Faces} [options.faces]  Of the cards; the section's own when left out.
 * @param {string} [options.today]  The address of the Today page, to go on to from the end; "" where there is none.
 * @param {() => void} [options.onEnd]  Called when the reader leaves the session, after it is gone.
 * @returns {{element: HTMLElement, end: () => void}}  The session's element, and what takes it away.
 */
export function openSession(section, desk, { cards, faces = facesIn(section), today = "", onEnd = () => {} } = {}) {
  const known = new Set(faces.ids);
  const ids = (cards ?? faces.ids).filter((id) => known.has(id));
  const faceOf = (/** @type {string} */ id) => /** @type {HTMLDetailsElement} */ (faces.face(id));

  /** @type {Choice} */
  let choice = { kind: "all", cram: false, facets: {}, extra_new: 0 };
  const plan = () =>
    study.plan({
      cards: isFree(choice.facets) ? ids : ids.filter((id) => has(faceOf(id), choice.facets)),
      status: desk.status,
      now_ms: desk.now(),
      until_ms: desk.until(),
      new_limit: desk.newLeft() + choice.extra_new,
      kind: choice.kind,
      cram: choice.cram,
    });
  const start = () =>
    study.begin(plan(), desk.status, { now_ms: desk.now(), until_ms: desk.until(), cram: choice.cram });
  let session = start();
  let begun_ms = desk.now();

  // --- What is there all the time ---

  const root = element("div", "flipcards-session", "", { role: "group", "aria-label": told("session") });
  const status = element("p", "flipcards-status", "", { role: "status" });
  const say = (/** @type {string} */ words) => {
    status.textContent = words;
  };
  const meter = element("progress", "flipcards-meter", "", { "aria-label": told("meter") });
  const sum = element("span", "flipcards-sum");
  const cramming = element("span", "flipcards-chip", told("cram"));
  const button = (/** @type {string} */ text, /** @type {() => void} */ action, title = "", more = "") => {
    const made = element("button", `flipcards-button${more}`, text, { type: "button", ...(title && { title }) });
    made.addEventListener("click", action);
    return made;
  };
  const undoButton = button(told("undo"), () => undo());
  const head = element("div", "flipcards-session-head");
  const tools = element("div", "flipcards-session-tools");
  tools.append(
    undoButton,
    button(told("options"), () => showOptions()),
    button(told("end"), () => leave()),
  );
  head.append(meter, sum, cramming, tools);
  const notice = element("p", "flipcards-notice");
  const stage = element("div", "flipcards-stage");
  root.append(status, head, notice, stage);

  const update = () => {
    const { done, left, again } = study.progress(session, desk.status, desk.now());
    meter.max = Math.max(1, done + left);
    meter.value = done + again / 2; // a new card comes again a few times: each rating shall be seen
    const counts = { done, left, again, time: lasted(desk.now() - begun_ms) };
    sum.textContent = told(again ? "sum-again" : "sum", counts);
    cramming.hidden = !session.cram;
    undoButton.disabled = study.lastStep(session) === null;
    const reason = desk.notKept();
    notice.hidden = !reason;
    if (notice.hidden || notice.dataset.reason === reason) return;
    notice.dataset.reason = reason;
    notice.replaceChildren(
      words("kept")("not", { reason }),
      " ",
      button(words("file")("download"), () => desk.download(root)),
    );
  };

  // --- The card, and what can be done with it ---

  /** @type {HTMLDetailsElement | null} */
  let card = null;
  let controls = element("div", "flipcards-controls");
  /** How often the card had been rated when it was asked. */
  let repsShown = 0;

  const show = (takeFocus = true) => {
    update();
    if (session.card === null) {
      finish(takeFocus);
      return;
    }
    card = copyOf(faceOf(session.card));
    repsShown = desk.state(session.card).reps;
    const holder = element("div", "flipcards-grid flipcards-short");
    holder.append(card);
    controls = element("div", "flipcards-controls");
    const aside = element("div", "flipcards-session-tools");
    aside.append(
      button(told("bury"), () => put("bury"), told("buryTitle")),
      button(told("suspend"), () => put("suspend"), told("suspendTitle")),
      button(told("keys"), () => showKeys()),
    );
    aside.hidden = session.cram;
    controls.append(button(told("show"), () => reveal(), "", " flipcards-show"));
    stage.replaceChildren(holder, controls, aside);
    // Room for the answer, but the question stays in sight; a longer answer makes its own room.
    const room = Math.min(backOf(card).offsetHeight + 1, QUESTION * innerHeight);
    card.style.setProperty("--flipcards-answer", `${room}px`);
    for (const part of backOf(card).querySelectorAll(WIDE)) {
      if (part.scrollWidth > part.clientWidth + 1) part.setAttribute("tabindex", "0");
    }
    card.addEventListener("toggle", () => card?.open && reveal()); // find-in-page opens it too
    if (session.revealed) showAnswer();
    else if (takeFocus) frontOf(card).focus({ preventScroll: true });
    if (takeFocus) keepInSight();
  };

  const reveal = () => {
    if (session.card === null || session.revealed) return;
    session = study.reveal(session);
    showAnswer();
  };

  const showAnswer = () => {
    if (!card || session.card === null) return;
    card.open = true;
    // It takes the focus, for nothing on the answer can while the card is turning.
    const group = element("div", "flipcards-ratings", "", { role: "group", "aria-label": told("rate"), tabindex: "-1" });
    const labels = session.cram ? null : desk.preview(session.card);
    for (const rating of session.cram ? CRAM_RATINGS : RATINGS) {
      const made = button("", () => rate(rating), "", ` flipcards-rating flipcards-rating-${rating}`);
      made.dataset.rating = String(rating);
      made.append(element("span", "flipcards-rating-name", told(`rating${rating}`)));
      if (labels) made.append(" ", element("span", "flipcards-rating-when", labels[rating].label));
      made.append(element("kbd", "", String(rating), { "aria-hidden": "true" }));
      group.append(made);
    }
    controls.replaceChildren(group);
    group.focus({ preventScroll: true });
    say(told("answered", { answer: spokenAnswer(card) }));
  };

  /** Whether what the log tells is of this session. */
  let acting = false;
  /**
   * @template Result
   * @param {() => Result} action
   */
  const own = (action) => {
    acting = true;
    try {
      return action();
    } finally {
      acting = false;
    }
  };
  const rate = (/** @type {Rating} */ rating) => {
    const { card, shown_ms, cram } = session;
    if (card === null || !session.revealed) return;
    const duration_ms = Math.max(0, Math.round(desk.now() - shown_ms));
    const was_new = desk.status(card).state === "new";
    const entry = cram ? null : own(() => desk.rate(card, rating, duration_ms));
    session = study.take(session, { kind: "rate", rating, was_new, duration_ms, entry }, desk.status, desk.now());
    say("");
    show();
  };
  const put = (/** @type {"bury" | "suspend"} */ kind) => {
    const { card, cram } = session;
    if (card === null || cram) return;
    const step = { kind, rating: /** @type {0} */ (0), was_new: false, duration_ms: 0, entry: own(() => desk[kind](card)) };
    session = study.take(session, step, desk.status, desk.now());
    show();
    say(kind === "bury" ? told("buried") : told("suspended"));
  };
  const undo = () => {
    const step = study.lastStep(session);
    if (!step) return;
    const { entry } = step;
    if (entry !== null) own(() => desk.undo(step.card, entry));
    session = study.undo(session, desk.now());
    show();
    say(told("undone"));
  };

  // --- The end ---

  const finish = (/** @type {boolean} */ takeFocus) => {
    card = null;
    const summary = study.summarise(session);
    const asked = session.steps.length > 0;
    const box = element("div", "flipcards-end", "", { tabindex: "-1" });
    box.append(element("p", "flipcards-end-title", told(asked ? "finished" : "nothing")));
    const list = element("ul", "");
    const line = (/** @type {string} */ words) => list.append(element("li", "", words));
    if (summary.reviews) line(reviewed(summary.reviews, summary.cards, desk.now() - begun_ms));
    if (summary.learned && !session.cram) line(told("learned", { count: summary.learned }));
    if (summary.asked && !session.cram) line(recalled(summary));
    if (session.cram && asked) line(told("crammed"));
    const coming = desk.coming(ids);
    for (const { count, when } of coming.next) line(told("returnAt", { count, when }));
    if (coming.fresh) line(told("newLeft", { count: coming.fresh }));
    if (!coming.next.length && !coming.fresh) line(told(coming.hidden ? "allHidden" : "allDone"));
    const after = element("div", "flipcards-session-tools");
    if (coming.fresh) {
      const count = Math.min(MORE_NEW, coming.fresh);
      after.append(button(told("more", { count }), () => choose({ ...choice, cram: false, extra_new: count })));
    }
    after.append(
      button(told("cramAll"), () => choose({ ...choice, kind: "all", cram: true })),
      button(told("close"), () => leave()),
    );
    if (today) after.append(element("a", "flipcards-button", told("toToday"), { href: today }));
    box.append(list, after);
    stage.replaceChildren(box);
    if (takeFocus) box.focus({ preventScroll: true });
    say([...box.querySelectorAll("p, li")].map((part) => sentence(part.textContent ?? "")).join(" "));
    if (asked && !session.cram) desk.keep();
    if (takeFocus) keepInSight();
  };
  const choose = (/** @type {Choice} */ wanted) => {
    choice = wanted;
    session = start();
    begun_ms = desk.now();
    say("");
    show();
  };

  // --- Options and keys ---

  const refocus = () => {
    if (!root.isConnected) return;
    const target = stage.querySelector(".flipcards-ratings, .flipcards-end") ?? (card && frontOf(card));
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  };
  const showOptions = () => {
    const cardsHere = ids.map(faceOf);
    openOptions(root, desk, { cards: cardsHere, choice, choose, closed: refocus });
  };
  const showKeys = () => {
    const dialog = element("dialog", "flipcards-keys", "", { "aria-label": told("keys") });
    const list = element("dl", "");
    for (const [key, what] of KEYS) {
      const term = element("dt", "");
      term.append(element("kbd", "", key === "space" || key === "escape" ? told(key) : key));
      list.append(term, element("dd", "", told(what)));
    }
    dialog.append(
      list,
      button(told("close"), () => dialog.close()),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      refocus();
    });
    root.append(dialog);
    dialog.showModal();
  };
  const move = (/** @type {1 | -1} */ by) => {
    const all = /** @type {HTMLElement[]} */ ([...controls.querySelectorAll("[data-rating]")]);
    const focused = /** @type {Document | ShadowRoot} */ (root.getRootNode()).activeElement;
    const at = all.findIndex((one) => one === focused);
    const good = all.findIndex((one) => one.dataset.rating === "3");
    all[at < 0 ? good : Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
  };

  /** @type {Record<string, () => void>} */
  const actions = {
    u: undo,
    b: () => put("bury"),
    s: () => put("suspend"),
    o: showOptions,
    "?": showKeys,
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    Escape: () => leave(),
  };
  root.addEventListener("keydown", (event) => {
    const { key, target, repeat } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
    if (target.closest("input, select, textarea, [contenteditable], dialog")) {
      event.stopPropagation(); // the cards and the notebook around have other plans with these keys
      return;
    }
    if (key.startsWith("Arrow") && target.closest(".flipcard-back [tabindex='0']")) return; // it scrolls
    if (key === "Tab") return;
    event.stopPropagation();
    let action = actions[key.length === 1 ? key.toLowerCase() : key];
    if (/^[1-4]$/.test(key)) action = () => rate(ratingFor(Number(key), session.cram));
    if ((key === " " || key === "Enter") && !target.closest(CONTROLS)) {
      action = session.revealed && key === " " ? () => rate(3) : reveal;
    }
    if (!action) return;
    event.preventDefault();
    if (!repeat) action(); // a key held down rates one card
  });
  stage.addEventListener("click", (event) => {
    const { target } = event;
    if (!card || !(target instanceof Element) || !card.contains(target)) return;
    const onQuestion = target.closest("summary") !== null;
    if (!onQuestion && target.closest(CONTROLS)) return;
    const selection = getSelection();
    if (selection && !selection.isCollapsed && card.contains(selection.anchorNode)) return;
    event.preventDefault();
    if (!session.revealed) reveal();
    else card.open = !card.open; // the reader looks at the question once more
  });

  // --- Begin, and end ---

  // Another tab, another notebook, or another session of this page.
  const stop = desk.onChange(() => {
    if (acting) return update();
    const before = session.card;
    const rated = before !== null && desk.state(before).reps !== repsShown;
    const { revealed, cram } = session;
    session = study.refresh(session, desk.status, desk.now(), rated);
    if (session.card === before && (!rated || revealed || cram)) return update();
    // The reader may be elsewhere on the page.
    show(root.contains(/** @type {Document | ShadowRoot} */ (root.getRootNode()).activeElement));
  });
  const keepInSight = () => {
    const { top, bottom } = root.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) root.scrollIntoView({ block: "start", behavior: "instant" });
  };
  const end = () => {
    stop();
    root.remove();
    section.classList.remove("flipcards-studying");
  };
  const leave = () => {
    end();
    onEnd();
  };
  section.append(root);
  section.classList.add("flipcards-studying"); // before it is brought in sight: a grid of cards goes
  show();
  // A notebook that lays out only what is near follows a frame or two later.
  const settle = (frames = 10) => {
    if (!frames || !root.contains(/** @type {Document | ShadowRoot} */ (root.getRootNode()).activeElement)) return;
    keepInSight();
    requestAnimationFrame(() => settle(frames - 1));
  };
  settle();
  return { element: root, end };
}

/** What each key does in a session. */
const KEYS = /** @type {const} */ ([
  ["space", "helpShow"],
  ["1 – 4", "helpRate"],
  ["← →", "helpMove"],
  ["U", "helpUndo"],
  ["B", "helpBury"],
  ["S", "helpSuspend"],
  ["O", "helpOptions"],
  ["escape", "helpLeave"],
  ["?", "helpKeys"],
]);

/** @param {number} ms */
const lasted = (ms) =>
  ms < MINUTE_MS ? told("underMinute") : told("minutes", { count: Math.round(ms / MINUTE_MS) });

/**
 * @param {number} reviews
 * @param {number} cards
 * @param {number} ms
 */
const reviewed = (reviews, cards, ms) =>
  told("reviewed", {
    reviews: told("reviewedReviews", { count: reviews }),
    cards: told("reviewedCards", { count: cards }),
    time: lasted(ms),
  });

/** @param {study.Summary} summary */
const recalled = ({ recalled, asked }) =>
  told("recalled", { recalled, asked, share: Math.round((100 * recalled) / asked) });

/**
 * A line as it is read aloud: with a stop at its end, once.
 *
 * @param {string} line
 */
const sentence = (line) => (/[.!?…。]$/.test(line) ? line : `${line}.`);

const RATINGS = /** @type {const} */ ([1, 2, 3, 4]);
const CRAM_RATINGS = /** @type {const} */ ([1, 3]);

/**
 * What a number key rates: in a cram a card is forgotten or known.
 *
 * @param {number} key
 * @param {boolean} cram
 * @returns {Rating}
 */
function ratingFor(key, cram) {
  return /** @type {Rating} */ (cram && key > 1 ? 3 : key);
}

/**
 * A closed copy of a card, as its maker wrote it: without ids, which its page has already, dressed anew.
 *
 * @param {HTMLDetailsElement} card
 * @returns {HTMLDetailsElement}
 */
function copyOf(card) {
  const copy = /** @type {HTMLDetailsElement} */ (card.cloneNode(true));
  copy.open = false;
  copy.removeAttribute("style");
  for (const part of copy.querySelectorAll(".flipcard-question, .flipcard-tags, .flipcard-link")) part.remove();
  for (const part of [copy, ...copy.querySelectorAll("[id]")]) part.removeAttribute("id");
  dress(copy, "");
  return copy;
}

/**
 * Whether any card will do.
 *
 * @param {Choice["facets"]} facets
 */
const isFree = (facets) => !Object.values(facets).some(Boolean);

/**
 * Whether a card has what was chosen.
 *
 * @param {HTMLElement} card
 * @param {Choice["facets"]} facets
 */
function has(card, facets) {
  return Object.entries(facets).every(
    ([facet, value]) =>
      !value || facetsOf(card)[/** @type {import("./options.js").Facet} */ (facet)].includes(value),
  );
}
