// @ts-check
// When a card comes back: FSRS-6. The formulas are ts-fsrs's; here are the steps a card goes through, and our days.
//
// A replay of a long log needs the memory after each review but the interval after the last one only. So the
// two are apart: `advance` and `arrange`. Together they do what ts-fsrs's own scheduler does; a test compares.

import { BasicLearningStepsStrategy, FSRSAlgorithm, State } from "ts-fsrs";
import { DAY_MS, dayOf, dayStart } from "./days.js";
import { words } from "./words.js";

/**
 * @import { Rating, ReviewedState, Settings } from "./types.js"
 */

const say = words("interval");

const MINUTE_MS = 60_000;
const DAY_MINUTES = DAY_MS / MINUTE_MS;
/** As many times a card must be forgotten to be called a leech. */
export const LEECH_LAPSES = 8;

/** @type {Settings} */
export const DEFAULTS = Object.freeze({
  desired_retention: 0.9,
  learning_steps: Object.freeze([1, 10]),
  relearning_steps: Object.freeze([10]),
  maximum_interval_days: 36_500,
  fuzz: true,
});

/**
 * Settings with defaults for what is left out.
 *
 * @param {Partial<Settings>} [some]
 * @returns {Settings}
 * @throws {RangeError}  A value is out of its range; the message names it.
 */
export function completeSettings(some = {}) {
  const settings = { ...DEFAULTS, ...some };
  const { desired_retention, learning_steps, relearning_steps, maximum_interval_days } = settings;
  if (!(desired_retention >= 0.7 && desired_retention <= 0.99)) {
    throw new RangeError(`desired_retention is ${desired_retention}; it must be between 0.7 and 0.99`);
  }
  for (const [name, steps] of Object.entries({ learning_steps, relearning_steps })) {
    const wrong = steps.find((minutes) => !(Number.isInteger(minutes) && minutes >= 1 && minutes < DAY_MINUTES));
    if (wrong !== undefined) throw new RangeError(`${name} has ${wrong}; a step is 1 to ${DAY_MINUTES - 1} whole minutes`);
  }
  if (!(Number.isInteger(maximum_interval_days) && maximum_interval_days >= 1 && maximum_interval_days <= 36_500)) {
    throw new RangeError(`maximum_interval_days is ${maximum_interval_days}; it must be a whole number from 1 to 36500`);
  }
  return settings;
}

/**
 * What the reader remembers of a card, and how far they learned it.
 *
 * @typedef {object} Memory
 * @property {"new" | ReviewedState} state
 * @property {number} step
 * @property {number} stability
 * @property {number} difficulty
 * @property {number} reps
 * @property {number} lapses
 * @property {number} last_ms
 * @property {number} last_day
 */

/**
 * When a card comes back.
 *
 * @typedef {object} Arrangement
 * @property {number} due_ms
 * @property {number} due_day
 * @property {number} interval_days
 */

/** @type {Memory} */
export const NEW = Object.freeze({
  state: "new",
  step: 0,
  stability: 0,
  difficulty: 0,
  reps: 0,
  lapses: 0,
  last_ms: 0,
  last_day: 0,
});

/** @typedef {ReturnType<typeof createScheduler>} Scheduler */

/**
 * A scheduler with these settings. It holds no state of any card.
 *
 * @param {Settings} settings  Complete.
 */
export function createScheduler(settings) {
  const parameters = {
    request_retention: settings.desired_retention,
    maximum_interval: settings.maximum_interval_days,
    enable_fuzz: settings.fuzz,
    enable_short_term: true,
    learning_steps: settings.learning_steps.map(inMinutes),
    relearning_steps: settings.relearning_steps.map(inMinutes),
  };
  const algorithm = new FSRSAlgorithm(parameters);

  /**
   * The step a rating leads to: minutes and number, or undefined where it leads out of the steps.
   *
   * @param {Memory} memory  Before the rating.
   * @param {Rating} rating
   */
  const stepAfter = ({ state, step }, rating) => {
    const known = steps[state];
    known[step] ??= BasicLearningStepsStrategy(algorithm.parameters, STATES[state], step);
    return known[step][rating];
  };
  /** What was asked of ts-fsrs already, by state and step. @type {Record<Memory["state"], ReturnType<typeof BasicLearningStepsStrategy>[]>} */
  const steps = { new: [], learning: [], review: [], relearning: [] };

  /**
   * Days between the last review and this day. A journey westwards may set the date back: no day has passed.
   *
   * @param {Memory} memory
   * @param {number} day
   */
  const elapsedDays = ({ state, last_day }, day) => (state === "new" ? 0 : Math.max(0, day - last_day));

  /**
   * The memory after a review.
   *
   * @param {Memory} memory
   * @param {Rating} rating
   * @param {number} ms  Unix time of the review; not before the last one.
   * @param {number} offsetMinutes
   * @returns {Memory}
   */
  const advance = (memory, rating, ms, offsetMinutes) => {
    const day = dayOf(ms, offsetMinutes);
    const known = memory.state === "new" ? null : memory;
    const { stability, difficulty } = algorithm.next_state(known, elapsedDays(memory, day), rating);
    const forgotten = memory.state === "review" && rating === 1;
    const step = memory.state === "review" && !forgotten ? undefined : stepAfter(memory, rating);
    /** @type {ReviewedState} */
    let state = "review";
    if (step) state = memory.state === "review" || memory.state === "relearning" ? "relearning" : "learning";
    return {
      state,
      step: step?.next_step ?? 0,
      stability,
      difficulty,
      reps: memory.reps + 1,
      lapses: memory.lapses + (forgotten ? 1 : 0),
      last_ms: ms,
      // The calendar never runs backwards for a card.
      last_day: known ? Math.max(day, memory.last_day) : day,
    };
  };

  /**
   * When a card comes back after a review.
   *
   * @param {string} card  Its id, which the fuzz is seeded with.
   * @param {Memory} before
   * @param {Memory} after  What `advance` made of it.
   * @param {Rating} rating
   * @param {number} offsetMinutes  At the review.
   * @returns {Arrangement}
   */
  const arrange = (card, before, after, rating, offsetMinutes) => {
    const step = after.state === "review" ? undefined : stepAfter(before, rating);
    if (step) {
      return { due_ms: after.last_ms + step.scheduled_minutes * MINUTE_MS, due_day: 0, interval_days: 0 };
    }
    const elapsed = elapsedDays(before, after.last_day);
    // The same number for each rating of one review, and again after a reload.
    algorithm.seed = `${card} ${after.reps}`;
    const interval_days =
      before.state === "review" && rating > 1
        ? orderedInterval(before, after, rating, elapsed)
        : algorithm.next_interval(after.stability, elapsed);
    const due_day = after.last_day + interval_days;
    return { due_ms: dayStart(due_day, offsetMinutes), due_day, interval_days };
  };

  /**
   * The interval of a card that was in review: Hard at most Good, Good before Easy, by a day at least.
   *
   * @param {Memory} before
   * @param {Memory} after
   * @param {Rating} rating  2, 3 or 4.
   * @param {number} elapsed
   */
  const orderedInterval = (before, after, rating, elapsed) => {
    const interval = (/** @type {Rating} */ one) => {
      const { stability } = one === rating ? after : algorithm.next_state(before, elapsed, one);
      return algorithm.next_interval(stability, elapsed);
    };
    const hard = Math.min(interval(2), interval(3));
    if (rating === 2) return hard;
    const good = Math.max(interval(3), hard + 1);
    return rating === 3 ? good : Math.max(interval(4), good + 1);
  };

  /**
   * The probability that a card is recalled on a day; 0 for a new one.
   *
   * @param {Memory} memory
   * @param {number} day
   */
  const retrievability = (memory, day) =>
    memory.state === "new" ? 0 : algorithm.forgetting_curve(elapsedDays(memory, day), memory.stability);

  return { advance, arrange, retrievability, elapsedDays };
}

const STATES = {
  new: State.New,
  learning: State.Learning,
  review: State.Review,
  relearning: State.Relearning,
};

/**
 * @param {number} minutes
 * @returns {`${number}m`}
 */
const inMinutes = (minutes) => `${minutes}m`;

/**
 * How far away a card's return is, as a button says it.
 *
 * @param {number} minutes  Until it is due, where `days` is 0.
 * @param {number} days
 */
export function intervalLabel(minutes, days) {
  if (days === 0) {
    return minutes < 60 ? say("minutes", { count: minutes }) : say("hours", { count: oneDecimal(minutes / 60) });
  }
  if (days < 30) return say("days", { count: days });
  return days < 365
    ? say("months", { count: oneDecimal(days / 30.4375) })
    : say("years", { count: oneDecimal(days / 365.25) });
}

/** @param {number} number */
const oneDecimal = (number) => Math.round(number * 10) / 10;
