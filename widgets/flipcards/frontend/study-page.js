// @ts-check
// The page's side of study, loaded at first use: one log and one desk for all its cards.

import { openDesk, readSnapshot } from "./desk.js";
import { gathered, unfoldWhenOpened } from "./gathered.js";
import { openSession } from "./session.js";
import { rest } from "./slices.js";
import { openLog } from "./storage.js";
import { showToday } from "./today.js";
import style from "../src/flipcards/static/study.css";

// Whoever only reads the cards need not load it. A strict policy forbids a <style>, but not this.
const sheet = new CSSStyleSheet();
sheet.replaceSync(style);
document.adoptedStyleSheets.push(sheet);

const script = document.querySelector("script[data-book]");
const book = script?.getAttribute("data-book") || "book";
const today = script?.getAttribute("data-today") ?? "";

/** As many entries more than a snapshot has make a new one worth its while. */
const WORTH_A_SNAPSHOT = 1000;

/** @type {Promise<import("./desk.js").Desk> | undefined} */
let opening;
const desk = () => (opening ??= openBook());

/** @type {(reading: import("./desk.js").Reading) => void} */
let showFirst = () => {};

async function openBook() {
  const shelf = shelfOf(book);
  let useless = false;
  const log = await openLog(book, {
    onSnapshot(snapshot, since) {
      const reading = readSnapshot(/** @type {import("./fold.js").Snapshot} */ (snapshot), since, shelf);
      useless = !reading;
      if (reading) showFirst(reading);
    },
  });
  const desk = await openDesk({ log, shelf });
  const keep = () => {
    if (!useless && log.beyondSnapshot() < WORTH_A_SNAPSHOT) return;
    useless = false;
    log.keepSnapshot(desk.snapshot).catch(() => {}); // without one, a page only takes longer to open
  };
  desk.onChange(() => rest().then(keep));
  rest().then(keep);
  return desk;
}

/**
 * The settings of a book, in this browser. Sites of one origin share it, so the name has the book's.
 *
 * @param {string} book
 * @returns {import("./desk.js").Shelf}
 */
function shelfOf(book) {
  const name = `flipcards:${book}:settings`;
  return {
    load: () => JSON.parse(localStorage.getItem(name) ?? "{}"),
    save: (settings) => localStorage.setItem(name, JSON.stringify(settings)),
  };
}

/** @type {import("./page.js").Study} */
const study = {
  async open(section, cards, onEnd) {
    return openSession(section, await desk(), { cards, today, onEnd }).end;
  },
};
Object.assign(globalThis, { flipcardsStudy: study });

const board = document.querySelector(".flipcards-today");
if (board instanceof HTMLElement) showFirst = showToday(board, gathered(document), desk());
unfoldWhenOpened(document, () => document.dispatchEvent(new Event("flipcards")));
