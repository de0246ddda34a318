// @ts-check
// The scheduler for Python: the fold, as functions that take and give JSON. The bundle's global is `flipcardsSchedule`.

import { createFold } from "./fold.js";

export { parseLines, formatLines, merge, canonical } from "./log.js";
export { DEFAULTS } from "./schedule.js";

/**
 * @import { Entry, Settings } from "./types.js"
 * @import { Fold } from "./fold.js"
 */

/** @type {Fold | null} */
let fold = null;
let taken = 0;

/**
 * Begin with an empty log.
 *
 * @param {Partial<Settings>} settings
 */
export function open(settings) {
  fold = createFold(settings);
  taken = 0;
}

/** How many entries `add` was given; -1 before `open`: an engine that was stopped has forgotten them. */
export const count = () => (fold ? taken : -1);

/**
 * @param {Entry[]} entries
 */
export function add(entries) {
  for (const entry of entries) current().add(entry);
  taken += entries.length;
}

const current = () => {
  if (!fold) throw new Error("the log is not open");
  return fold;
};

/** @type {Fold["state"]} */
export const state = (card) => current().state(card);
/** @type {Fold["states"]} */
export const states = () => current().states();
/** @type {Fold["preview"]} */
export const preview = (card, nowMs, offsetMinutes) => current().preview(card, nowMs, offsetMinutes);
/** @type {(nowMs: number, offsetMinutes: number, among: string[] | null) => string[]} */
export const due = (nowMs, offsetMinutes, among) => current().due(nowMs, offsetMinutes, among ?? undefined);
/** @type {(nowMs: number, offsetMinutes: number, among: string[] | null) => ReturnType<Fold["stats"]>} */
export const stats = (nowMs, offsetMinutes, among) => current().stats(nowMs, offsetMinutes, among ?? undefined);
