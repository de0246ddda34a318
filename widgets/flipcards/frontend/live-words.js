// @ts-check
// The words of study in a notebook: one catalogue, so that a translation is one table.

/** @type {(count: number) => string} */
const ratings = (count) => `${count.toLocaleString("en")} ${count === 1 ? "rating" : "ratings"}`;

/** @type {(count: number) => string} */
const wait = (count) => (count === 0 ? "" : `${ratings(count)} ${count === 1 ? "waits" : "wait"} in this browser.`);

/** @type {(count: number) => string} */
const entries = (count) => `${count.toLocaleString("en")} ${count === 1 ? "entry" : "entries"}`;

export const LIVE = {
  connecting: "Asking Python for what was learned…",
  /** @type {(count: number, name: string) => string} */
  saved: (count, name) => `${name ? `Saved in ${name}` : "Saved in this kernel"}: ${entries(count)}`,
  /** @type {(waiting: number, name: string) => string} */
  saving: (waiting, name) => `${ratings(waiting)} on the way to ${name || "Python"}`,
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
