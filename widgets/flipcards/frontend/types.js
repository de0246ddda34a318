// @ts-check
// The shapes that log, scheduler, storage and session share. Types alone: nothing runs here.

/**
 * An entry of the review log, as a line of `progress.jsonl` holds it. README.md, "The review log", has the table.
 *
 * Keys that are not named here are kept.
 *
 * @typedef {object} BaseEntry
 * @property {1} schema
 * @property {string} id  A UUID in lower case: the identity of the entry.
 * @property {string} card
 * @property {string} at  `2026-11-24T19:05:22.123Z`: UTC, always with milliseconds.
 * @property {number} offset_minutes  Of local time, east of UTC.
 * @property {string} device  A UUID: the browser profile or notebook that wrote it.
 */

/**
 * @typedef {BaseEntry & {kind: "review", rating: Rating, duration_ms: number, decided?: Decided | null}} Review
 * @typedef {BaseEntry & {kind: "undo", undoes: string}} Undo
 * @typedef {BaseEntry & {kind: "bury" | "suspend" | "unsuspend"}} Mark
 */

/**
 * An entry of a later schema: kept and passed on, never folded.
 *
 * @typedef {{schema: number, id: string, at?: string, kind?: string, card?: string}} LaterEntry
 */

/** @typedef {Review | Undo | Mark | LaterEntry} Entry */

/** @typedef {1 | 2 | 3 | 4} Rating  Again, Hard, Good, Easy. */

/** @typedef {"learning" | "review" | "relearning"} ReviewedState */

/**
 * What the scheduler decided when a card was rated. History: after a merge the state of the card is another.
 *
 * @typedef {object} Decided
 * @property {ReviewedState} state
 * @property {string} due  Like `at`. For a card in review: the beginning of the day it is due.
 * @property {number} interval_days  0 while the card is in learning steps.
 * @property {number} stability  Days.
 * @property {number} difficulty  1 to 10.
 */

/**
 * @typedef {object} Settings
 * @property {number} desired_retention  Probability of recall at which a card comes back; between 0.7 and 0.99.
 * @property {readonly number[]} learning_steps  Minutes; each less than a day.
 * @property {readonly number[]} relearning_steps  Minutes; each less than a day.
 * @property {number} maximum_interval_days
 * @property {boolean} fuzz  Spread intervals a little, the same way each time.
 */

/**
 * Where a card stands: a fold over its entries.
 *
 * @typedef {object} CardState
 * @property {string} card
 * @property {"new" | ReviewedState} state
 * @property {number} step  The learning or relearning step it is at, from 0.
 * @property {number} stability  Days; 0 while new.
 * @property {number} difficulty  1 to 10; 0 while new.
 * @property {number} reps  Reviews so far.
 * @property {number} lapses  How often it was forgotten once it had been learned.
 * @property {number} interval_days  0 while new or in learning steps.
 * @property {number} last_ms  Unix time of the last review; 0 while new.
 * @property {number} last_day  The reader's day of the last review (`days.js`); 0 while new.
 * @property {number} due_day  The reader's day it is due; 0 while new or in learning steps.
 * @property {number} due_ms  Unix time it is due, a day beginning by the clock of the last review; 0 while new.
 * @property {boolean} suspended
 * @property {number} buried_until_ms  0 where it is not buried.
 * @property {boolean} leech  Forgotten `LEECH_LAPSES` times or more.
 */

/**
 * What one rating would do.
 *
 * @typedef {object} Choice
 * @property {ReviewedState} state
 * @property {number} due_ms
 * @property {number} interval_days
 * @property {number} stability
 * @property {number} difficulty
 * @property {string} label  `<10 min`, `3 d`, `1.2 mo`
 */

/** @typedef {Record<Rating, Choice>} Preview */

/**
 * A log as the session uses it: the browser's store, or the outbox of a notebook.
 *
 * @typedef {object} Log
 * @property {string} device  A UUID.
 * @property {() => readonly Entry[]} entries  All that is known, in any order.
 * @property {(entries: readonly Entry[]) => Promise<void>} append
 *   Takes entries in at once: `entries` has them and subscribers know before it returns. Resolves when they are
 *   durable; rejects when they are in memory alone, which `reason` then explains. They are tried again later.
 * @property {(listener: (added: readonly Entry[]) => void) => () => void} subscribe
 *   Entries of any origin, each once. Returns what ends it.
 * @property {boolean} persistent  Whether entries outlast the page.
 * @property {string} reason  Why they do not, for the reader; "" when they do.
 * @property {(listener: () => void) => () => void} onState  `persistent` or `reason` changed.
 * @property {() => Promise<boolean>} requestPersistence  Asks the browser not to evict the log.
 */

export {};
