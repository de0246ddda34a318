// @ts-check
// What a day is: it begins at 04:00 local time, and is counted in local time as the offset says it.
// No function here asks the host for its time zone: the same bundle runs in Python's engine.

export const DAY_MS = 86_400_000;
/** The hour at which the reader's day begins. */
export const DAY_START_HOUR = 4;

const MINUTE_MS = 60_000;
const START_MS = DAY_START_HOUR * 60 * MINUTE_MS;

/**
 * The reader's day that an instant falls in, counted from 1 January 1970.
 *
 * @param {number} ms  Unix time.
 * @param {number} offsetMinutes  Of local time, east of UTC.
 */
export function dayOf(ms, offsetMinutes) {
  return Math.floor((ms + offsetMinutes * MINUTE_MS - START_MS) / DAY_MS);
}

/**
 * The instant at which a day begins, in Unix time.
 *
 * @param {number} day
 * @param {number} offsetMinutes
 */
export function dayStart(day, offsetMinutes) {
  return day * DAY_MS + START_MS - offsetMinutes * MINUTE_MS;
}

/**
 * The instant at which the day after this one begins.
 *
 * @param {number} ms
 * @param {number} offsetMinutes
 */
export function nextDayStart(ms, offsetMinutes) {
  return dayStart(dayOf(ms, offsetMinutes) + 1, offsetMinutes);
}

/**
 * A day as `2026-11-24`.
 *
 * @param {number} day
 */
export function dateOf(day) {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
