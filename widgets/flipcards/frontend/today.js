// @ts-check
// The Today page: what is due in the whole book, and what was learned so far.

import { calendar, figure, forecast, retention, stages } from "./charts.js";
import { dayOf } from "./days.js";
import { element, frontOf } from "./dom.js";
import { spoken } from "./faces.js";
import { progressFile } from "./options.js";
import { openSession } from "./session.js";
import { rest } from "./slices.js";
import { plan } from "./study.js";
import { language, words } from "./words.js";

const say = words("today");
const study = words("study");

/** @typedef {import("./desk.js").Reading & {notKept?: () => string}} Reading */

const WIDEST = 720; // CSS pixels of a figure

/**
 * Show what is due and what was learned, as soon as either a snapshot of the log or the log itself is read.
 *
 * @param {HTMLElement} root  `<div class="flipcards flipcards-today">`, as Sphinx writes it.
 * @param {import("./faces.js").Faces} faces  Of the cards of the book.
 * @param {Promise<import("./desk.js").Desk>} desk
 * @returns {(reading: Reading) => void}  Shows what a snapshot tells, until the desk is there.
 */
export function showToday(root, faces, desk) {
  const { ids: cards, face } = faces;
  const board = element("div", "flipcards-board");
  const due = element("div", "flipcards-due");
  const title = element("p", "flipcards-due-title");
  const detail = element("p", "flipcards-due-detail");
  const notice = element("p", "flipcards-notice");
  const start = element("button", "flipcards-button flipcards-show flipcards-start", "", { type: "button" });
  const figures = element("div", "flipcards-figures");
  const said = element("p", "flipcards-said", "", { role: "status" });
  const file = progressFile(root, desk, said);
  due.append(title, detail, start);
  board.append(due, notice, element("h2", "", say("progress")), figures, file, said);

  /** @type {Reading | null} */
  let reading = null;
  /** @type {(() => void) | null} */
  let end = null;
  let drawn = "";
  const show = () => {
    if (!reading || end) return; // drawn again when the session is over
    const { status, notKept } = reading;
    const now_ms = reading.now();
    const wanted = { cards, status, now_ms, until_ms: reading.until(), new_limit: reading.newLeft() };
    const all = plan(wanted);
    const fresh = all.filter((card) => status(card).state === "new").length;
    const coming = reading.coming(cards);
    title.textContent = all.length ? say("forToday", { count: all.length }) : study("nothing");
    detail.textContent = all.length
      ? dueAndNew(all.length - fresh, fresh)
      : (coming.next.map(({ count, when }) => study("returnAt", { count, when }))[0] ?? study("allDone"));
    start.textContent = say(all.length ? "start" : "startMore");
    const reason = notKept?.() ?? "";
    notice.hidden = !reason;
    notice.textContent = reason && words("kept")("not", { reason });
    if (!board.parentElement) {
      root.classList.add("flipcards-dealt"); // a session's card turns here too
      root.replaceChildren(board);
    }
    const stats = reading.stats(cards);
    const today = dayOf(now_ms, reading.offsetMinutes());
    width = figures.clientWidth;
    // What the reader has opened in them stays open while nothing changes.
    const wish = JSON.stringify([stats, today, width]);
    if (wish === drawn) return;
    drawn = wish;
    const wide = Math.min(WIDEST, width);
    const later = () => [
      calendar(stats.days, today),
      forecast(stats.forecast, wide),
      retention(stats.retention, wide),
    ];
    const begun = stats.days.length > 0;
    const mine = (round += 1);
    // Their questions may be in decks not unfolded yet: that need not hold up the rest.
    if (begun) hardest(stats.hardest, face).then((list) => mine === round && figures.append(list));
    figures.replaceChildren(stages(stats.counts, wide), ...(begun ? later() : [element("p", "flipcards-help", say("notBegun"))]));
    const scroller = [...figures.querySelectorAll(".flipcards-scroller")].find((one) => one.querySelector("svg"));
    if (scroller) scroller.scrollLeft = scroller.scrollWidth; // the last days are what one looks for
  };
  let width = 0;
  let round = 0;
  let frame = 0;
  const showSoon = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      show();
    });
  };

  start.addEventListener("click", async () => {
    const one = await desk;
    if (board.hidden) return; // clicked twice
    board.hidden = true;
    const onEnd = () => {
      end = null;
      board.hidden = false;
      show();
      start.focus({ preventScroll: true });
      root.scrollIntoView({ block: "nearest", behavior: "instant" });
    };
    ({ end } = openSession(root, one, { cards, faces, onEnd }));
  });
  const use = (/** @type {Reading} */ one) => {
    reading = one;
    show();
  };
  let whole = false;
  desk.then((one) => {
    whole = true;
    one.onChange(showSoon);
    use(one);
  });
  new ResizeObserver(() => figures.clientWidth && figures.clientWidth !== width && showSoon()).observe(figures);
  // Tomorrow begins while the page lies open.
  document.addEventListener("visibilitychange", () => document.hidden || showSoon());
  return (one) => whole || use(one);
}

/**
 * @param {number} due
 * @param {number} fresh
 */
const dueAndNew = (due, fresh) =>
  [due && say("due", { count: due }), fresh && say("fresh", { count: fresh })].filter(Boolean).join(" · ");

/**
 * The cards that are forgotten most, each with a way to the page that explains it.
 *
 * @param {readonly {card: string, lapses: number, reps: number, difficulty: number}[]} worst
 * @param {(id: string) => HTMLDetailsElement | undefined} faceOf
 */
async function hardest(worst, faceOf) {
  if (!worst.length) return figure(say("hardest"), [], say("hardestNone"), null);
  const list = element("ol", "flipcards-hardest");
  /** @type {(string | number)[][]} */
  const rows = [];
  for (const { card, lapses, reps, difficulty } of worst) {
    await rest(); // a deck may be unfolded for it
    const face = faceOf(card);
    if (!face) continue;
    const question = spoken(frontOf(face));
    const item = element("li", "");
    const home = face.dataset.home;
    item.append(home ? element("a", "", question, { href: home }) : question, " ");
    const more = element("span", "flipcards-lapses", say("lapses", { count: lapses }));
    const see = face.querySelector(".flipcard-see a")?.cloneNode(true);
    if (see) more.append(`; ${say("explained")} `, see);
    item.append(more);
    list.append(item);
    rows.push([question, lapses, reps, difficulty.toLocaleString(language(), { minimumFractionDigits: 1, maximumFractionDigits: 1 })]);
  }
  return figure(say("hardest"), [list], "", {
    head: [say("card"), say("forgotten"), say("reviews"), say("difficulty")],
    rows,
  });
}
