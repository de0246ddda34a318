// @ts-check
// The words of study in a notebook: one catalogue, so that a translation is one table.

/** @type {(count: number) => string} */
const ratings = (count) => `${count.toLocaleString("en")} ${count === 1 ? "rating" : "ratings"}`;

/** @type {(count: number) => string} */
const wait = (count) => (count === 0 ? "" : `${ratings(count)} ${count === 1 ? "waits" : "wait"} in this browser.`);

/** @type {(saved: number, name: string) => string} */
const saved = (count, name) => `${ratings(count)} ${name ? `saved in ${name}` : "in Python"}`;

export const LIVE = {
  connecting: "Asking Python for what was learned…",
  saved,
  /** @type {(count: number, waiting: number, name: string) => string} */
  saving: (count, waiting, name) => `${saved(count, name)}, ${waiting.toLocaleString("en")} on the way`,
  /** @type {(waiting: number) => string} */
  silent: (waiting) => `Python does not answer: it is busy, or gone. ${wait(waiting)}`,
  /** @type {(waiting: number) => string} */
  gone: (waiting) =>
    `Python has stopped. ${wait(waiting)} You can go on: run the cell again, and Python gets what it missed.`,
  /** @type {(waiting: number, why: string) => string} */
  refused: (waiting, why) => `Python could not keep a rating: ${why}. ${wait(waiting)}`,
  memory: "This browser keeps nothing for a notebook: what Python lacks is lost when the page is closed.",
  download: "Download progress",
};
