// @ts-check
// The page's side of study, loaded at first use: one log and one desk for all its cards.

import { createDesk } from "./desk.js";
import { gathered, unfoldWhenOpened } from "./gathered.js";
import { openSession } from "./session.js";
import { openLog } from "./storage.js";
import { showToday } from "./today.js";

const script = document.querySelector("script[data-book]");
const book = script?.getAttribute("data-book") || "book";
const today = script?.getAttribute("data-today") ?? "";

/** @type {Promise<import("./desk.js").Desk> | undefined} */
let opening;
const desk = () => (opening ??= openLog(book).then((log) => createDesk({ log, shelf: shelfOf(book) })));

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
if (board instanceof HTMLElement) desk().then((one) => showToday(board, gathered(document), one));
unfoldWhenOpened(document, () => document.dispatchEvent(new Event("flipcards")));
