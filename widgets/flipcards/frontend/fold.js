// @ts-check
// Where every card stands: a fold over the log. The same entries give the same states, in whatever order they came.

import { dateOf, dayOf, dayStart, nextDayStart } from "./days.js";
import { canonical, compare, SCHEMA, winner } from "./log.js";
import { completeSettings, createScheduler, intervalLabel, LEECH_LAPSES, NEW } from "./schedule.js";

/**
 * @import { CardState, Choice, Entry, Mark, Preview, Rating, Review, Settings } from "./types.js"
 * @import { Memory } from "./schedule.js"
 */

const MATURE_DAYS = 21;
const FORECAST_DAYS = 30;
const RETENTION_DAYS = 30;
const HARDEST = 10;
const MINUTE_MS = 60_000;
/** To be raised when the same entries give other states: a snapshot of another version is not gone on from. */
export const VERSION = 1;
/** @type {readonly Rating[]} */
const RATINGS = [1, 2, 3, 4];

/**
 * What the figures need of one review.
 *
 * @typedef {object} Fact
 * @property {number} day
 * @property {Rating} rating
 * @property {number} duration_ms
 * @property {boolean} fresh  Whether it was the card's first.
 * @property {boolean} tested  Whether it tested long-term memory: the card was in review, and a day had passed.
 */

/**
 * What the figures need of one day.
 *
 * @typedef {object} Tally
 * @property {number} day
 * @property {number} reviews
 * @property {number} forgotten
 * @property {number} duration_ms
 * @property {number} fresh  Cards that had their first review.
 * @property {number} tested
 * @property {number} recalled  Of those that were tested.
 */

/**
 * A fold as it stands, to go on from without its entries. It is no log: what is older than `newest` has no place in it.
 *
 * @typedef {object} Snapshot
 * @property {number} version
 * @property {Settings} settings  It was folded with.
 * @property {{at: string, id: string}} newest  The last of its entries, by their order.
 * @property {readonly string[]} undone  Entries that were taken back and had not come yet.
 * @property {readonly CardState[]} cards
 * @property {readonly Tally[]} tallies
 */

/**
 * A card in the making. Entries beyond `folded` wait until somebody asks.
 *
 * @typedef {object} Card
 * @property {(Review | Mark)[]} entries  In order.
 * @property {number} folded
 * @property {Memory} memory
 * @property {import("./schedule.js").Arrangement} arranged  Where `last` is null.
 * @property {{before: Memory, review: Review} | null} last
 * @property {Fact[]} facts
 * @property {boolean} suspended
 * @property {number} buried_until_ms
 * @property {CardState | null} state  Of all that is folded; null where nobody asked yet.
 */

/** @typedef {ReturnType<typeof createFold>} Fold */

/** An entry that a fold which went on from a snapshot has no place for: the whole log is needed. */
export class StaleSnapshotError extends Error {
  constructor() {
    super("an entry belongs before the end of the snapshot");
    this.name = "StaleSnapshotError";
  }
}

/**
 * A fold that goes on from a snapshot with what was written since, or null where only the whole log can tell.
 *
 * It may be read; only entries that are newer than all of these can be added.
 *
 * @param {Snapshot} snapshot
 * @param {Partial<Settings>} some
 * @param {Iterable<Entry>} entries
 * @returns {Fold | null}
 */
export function resumeFold(snapshot, some, entries) {
  const settings = completeSettings(some);
  const same = snapshot.version === VERSION && canonical(snapshot.settings) === canonical(settings);
  if (!same) return null;
  const fold = createFold(some, snapshot);
  try {
    for (const entry of entries) fold.add(entry);
    return fold;
  } catch (error) {
    if (error instanceof StaleSnapshotError) return null;
    throw error;
  }
}

/**
 * A fold of a log. It grows with `add`, and every other function reads it.
 *
 * `offsetMinutes` is the reader's offset now, east of UTC; `nowMs` is Unix time.
 *
 * @param {Partial<Settings>} [some]  The rest are `DEFAULTS`.
 * @param {Snapshot | null} [from]  What to go on from: see `resumeFold`.
 * @throws {RangeError}  A setting is out of its range.
 */
export function createFold(some, from = null) {
  const settings = completeSettings(some);
  const scheduler = createScheduler(settings);
  /** @type {Map<string, Entry>} */
  const byId = new Map();
  /** @type {Set<string>} */
  const undone = new Set();
  /** @type {Map<string, Card>} */
  const cards = new Map();
  const before = new Map(from?.cards.map((card) => [card.card, card]));
  const begin = () => {
    undone.clear();
    cards.clear();
    for (const id of from?.undone ?? []) undone.add(id);
    for (const id of before.keys()) cards.set(id, blank(id));
  };
  /** A card without entries, or as the snapshot has it. @type {(id: string) => Card} */
  const blank = (id) => {
    const known = before.get(id);
    if (!known) return emptyCard();
    const { suspended, buried_until_ms } = known;
    return { ...emptyCard(), memory: known, arranged: known, suspended, buried_until_ms, state: known };
  };
  begin();

  // --- Taking entries in ---

  /**
   * Take an entry in; one that is known already changes nothing.
   *
   * @param {Entry} entry
   * @returns {boolean}  Whether it was news.
   * @throws {StaleSnapshotError}  The fold went on from a snapshot, and this belongs into it.
   */
  const add = (entry) => {
    if (from && isFoldable(entry)) {
      const into = entry.kind === "undo" && !byId.has(entry.undoes);
      if (into || compare(entry, /** @type {Entry} */ (from.newest)) <= 0) throw new StaleSnapshotError();
    }
    const known = byId.get(entry.id);
    const counts = known ? winner(known, entry) : entry;
    if (counts === known) return false;
    byId.set(entry.id, entry);
    if (known) rebuild();
    else place(entry);
    return true;
  };

  // Two different entries under one id are damage, and rare: start over.
  const rebuild = () => {
    begin();
    for (const entry of byId.values()) place(entry);
  };

  const place = (/** @type {Entry} */ entry) => {
    if (!isFoldable(entry)) return;
    if (entry.kind === "undo") {
      if (undone.has(entry.undoes)) return;
      undone.add(entry.undoes);
      const target = byId.get(entry.undoes);
      if (target && isFoldable(target) && target.kind !== "undo") startOver(target.card);
      return;
    }
    const card = cards.get(entry.card) ?? blank(entry.card);
    cards.set(entry.card, card);
    const { entries } = card;
    const last = entries.at(-1);
    if (!last || compare(last, entry) < 0) {
      entries.push(entry);
      card.state = null;
      return;
    }
    entries.splice(placeOf(entry, entries), 0, entry);
    startOver(entry.card);
  };

  /** Forget what was folded of a card; its entries stay. */
  const startOver = (/** @type {string} */ id) => {
    const card = cards.get(id);
    if (card) Object.assign(card, { ...blank(id), entries: card.entries, state: null });
  };

  // --- One card ---

  /**
   * Fold one more entry of a card.
   *
   * @param {Card} card
   * @param {Review | Mark} entry
   */
  const fold = (card, entry) => {
    const ms = Date.parse(entry.at);
    const offset = entry.offset_minutes;
    if (entry.kind === "suspend") card.suspended = true;
    else if (entry.kind === "unsuspend") card.suspended = false;
    else if (entry.kind === "bury") card.buried_until_ms = nextDayStart(ms, offset);
    else if (entry.kind === "review") {
      const before = card.memory;
      card.memory = scheduler.advance(before, entry.rating, ms, offset);
      card.last = { before, review: entry };
      card.facts.push({
        day: dayOf(ms, offset),
        rating: entry.rating,
        duration_ms: entry.duration_ms,
        fresh: before.state === "new",
        tested: before.state === "review" && scheduler.elapsedDays(before, card.memory.last_day) > 0,
      });
    }
  };

  const settle = (/** @type {Card} */ card) => {
    for (; card.folded < card.entries.length; card.folded += 1) {
      const entry = /** @type {Review | Mark} */ (card.entries[card.folded]);
      if (!undone.has(entry.id)) fold(card, entry);
    }
    return card;
  };

  /**
   * Where a card stands. One that was never reviewed is new.
   *
   * @param {string} id
   * @returns {CardState}
   */
  const state = (id) => {
    const card = cards.get(id);
    if (!card) return stateOf(id, emptyCard());
    return (card.state ??= stateOf(id, settle(card)));
  };

  const stateOf = (/** @type {string} */ id, /** @type {Card} */ { memory, arranged, last, suspended, buried_until_ms }) => {
    const { due_ms, due_day, interval_days } = last
      ? scheduler.arrange(id, last.before, memory, last.review.rating, last.review.offset_minutes)
      : arranged;
    const leech = memory.lapses >= LEECH_LAPSES;
    return { ...memory, card: id, due_ms, due_day, interval_days, suspended, buried_until_ms, leech };
  };

  /** The states of all cards with entries, by id. */
  const states = () => [...cards.keys()].map(state);

  /**
   * What each rating would do now.
   *
   * @param {string} id
   * @param {number} nowMs
   * @param {number} offsetMinutes
   * @returns {Preview}
   */
  const preview = (id, nowMs, offsetMinutes) => {
    const card = settle(cards.get(id) ?? emptyCard());
    const choice = (/** @type {Rating} */ rating) => {
      const { before, after } = reviewed(card, rating, nowMs, offsetMinutes);
      const review = after.last?.review ?? { rating, offset_minutes: offsetMinutes };
      const arranged = scheduler.arrange(id, before, after.memory, review.rating, review.offset_minutes);
      return choiceOf(after.memory, arranged);
    };
    return /** @type {Preview} */ (Object.fromEntries(RATINGS.map((rating) => [rating, choice(rating)])));
  };

  /**
   * A card as it would be after one more review.
   *
   * @param {Card} card  Settled.
   * @param {Rating} rating
   * @param {number} nowMs
   * @param {number} offsetMinutes
   * @returns {{before: Memory, after: Pick<Card, "memory" | "last">}}
   */
  const reviewed = (card, rating, nowMs, offsetMinutes) => {
    if (nowMs >= card.memory.last_ms) {
      const memory = scheduler.advance(card.memory, rating, nowMs, offsetMinutes);
      return { before: card.memory, after: { memory, last: null } };
    }
    if (from) throw new StaleSnapshotError();
    // The clock was set back: the review takes its place before the later ones, and they decide.
    const at = new Date(nowMs).toISOString();
    const review = /** @type {Review} */ ({ kind: "review", id: "", at, rating, duration_ms: 0, offset_minutes: offsetMinutes });
    const others = card.entries.filter((entry) => !undone.has(entry.id));
    const later = others.findIndex((entry) => entry.at > at);
    const again = emptyCard();
    for (const entry of [...others.slice(0, later), review, ...others.slice(later)]) fold(again, entry);
    return { before: again.last?.before ?? NEW, after: again };
  };

  // --- All cards ---

  /**
   * The cards that are due, those in learning first, then the longest overdue.
   *
   * @param {number} nowMs
   * @param {number} offsetMinutes
   * @param {Iterable<string>} [among]  All cards of the log where it is left out.
   * @returns {string[]}
   */
  const due = (nowMs, offsetMinutes, among = cards.keys()) => {
    const wanted = [...among].map(state).filter((one) => isDue(one, nowMs, offsetMinutes));
    const inLearning = (/** @type {CardState} */ one) => (one.state === "review" ? 1 : 0);
    wanted.sort((a, b) => inLearning(a) - inLearning(b) || a.due_ms - b.due_ms || (a.card < b.card ? -1 : 1));
    return wanted.map(({ card }) => card);
  };

  /**
   * How many cards had their first review today.
   *
   * @param {number} nowMs
   * @param {number} offsetMinutes
   */
  const newToday = (nowMs, offsetMinutes) => {
    const today = dayOf(nowMs, offsetMinutes);
    let count = from?.tallies.find(({ day }) => day === today)?.fresh ?? 0;
    for (const card of cards.values()) {
      const first = settle(card).facts[0];
      if (first?.fresh && first.day === today) count += 1;
    }
    return count;
  };

  /** Every day with a review, in order. */
  const tallies = () => {
    /** @type {Map<number, Tally>} */
    const days = new Map(from?.tallies.map((tally) => [tally.day, { ...tally }]));
    for (const card of cards.values()) {
      for (const { day, rating, duration_ms, fresh, tested } of settle(card).facts) {
        const tally = days.get(day) ?? { day, reviews: 0, forgotten: 0, duration_ms: 0, fresh: 0, tested: 0, recalled: 0 };
        tally.reviews += 1;
        tally.forgotten += rating === 1 ? 1 : 0;
        tally.duration_ms += duration_ms;
        tally.fresh += fresh ? 1 : 0;
        tally.tested += tested ? 1 : 0;
        tally.recalled += tested && rating > 1 ? 1 : 0;
        days.set(day, tally);
      }
    }
    return [...days.values()].sort((a, b) => a.day - b.day);
  };

  /**
   * The figures of progress. Days without a review are left out of `days`; `forecast` has every day.
   *
   * @param {number} nowMs
   * @param {number} offsetMinutes
   * @param {Iterable<string>} [among]
   *   The cards to count; all cards of the log where it is left out. Reviews of removed cards still took place.
   */
  const stats = (nowMs, offsetMinutes, among = cards.keys()) => {
    const today = dayOf(nowMs, offsetMinutes);
    const all = [...among].map(state);
    const days = tallies();
    return {
      counts: countsOf(all),
      days: days.map(({ day, reviews, forgotten, duration_ms }) => ({ date: dateOf(day), reviews, forgotten, duration_ms })),
      forecast: forecastOf(all, today, offsetMinutes),
      retention: retentionOf(days, today),
      hardest: hardestOf(all, today),
    };
  };

  const forecastOf = (
    /** @type {CardState[]} */ all,
    /** @type {number} */ today,
    /** @type {number} */ offsetMinutes,
  ) => {
    const forecast = Array.from({ length: FORECAST_DAYS }, (_, ahead) => ({ date: dateOf(today + ahead), cards: 0 }));
    for (const one of all) {
      if (one.state === "new" || one.suspended) continue;
      const day = one.due_day || dayOf(one.due_ms, offsetMinutes);
      const place = forecast[Math.max(0, day - today)];
      if (place) place.cards += 1;
    }
    return forecast;
  };

  const retentionOf = (/** @type {Tally[]} */ days, /** @type {number} */ today) => {
    const lately = days.filter(({ day }) => day > today - RETENTION_DAYS && day <= today);
    const reviews = lately.reduce((sum, { tested }) => sum + tested, 0);
    const recalled = lately.reduce((sum, day) => sum + day.recalled, 0);
    return {
      desired: settings.desired_retention,
      days: RETENTION_DAYS,
      reviews,
      recalled,
      rate: reviews ? recalled / reviews : null,
    };
  };

  const hardestOf = (/** @type {CardState[]} */ all, /** @type {number} */ today) =>
    all
      .filter(({ lapses }) => lapses > 0)
      .sort((a, b) => b.lapses - a.lapses || b.difficulty - a.difficulty || (a.card < b.card ? -1 : 1))
      .slice(0, HARDEST)
      .map((one) => ({
        card: one.card,
        lapses: one.lapses,
        reps: one.reps,
        difficulty: one.difficulty,
        retrievability: scheduler.retrievability(one, today),
        leech: one.leech,
      }));

  /**
   * The fold as it stands; null where the log is empty or where this fold went on from a snapshot itself.
   *
   * @returns {Snapshot | null}
   */
  const snapshot = () => {
    const foldable = [...byId.values()].filter(isFoldable);
    const newest = foldable.reduce((last, entry) => (!last || compare(last, entry) < 0 ? entry : last), foldable[0]);
    if (from || !newest) return null;
    return {
      version: VERSION,
      settings,
      newest: { at: newest.at, id: newest.id },
      undone: [...undone].filter((id) => !byId.has(id)),
      cards: states(),
      tallies: tallies(),
    };
  };

  return {
    settings,
    add,
    size: () => byId.size,
    cards: () => [...cards.keys()],
    snapshot,
    state,
    states,
    preview,
    due,
    newToday,
    stats,
  };
}

/**
 * Whether this version can fold an entry.
 *
 * @param {Entry} entry
 * @returns {entry is Review | Mark | import("./types.js").Undo}
 */
const isFoldable = (entry) => entry.schema === SCHEMA;

/** @returns {Card} */
const emptyCard = () => ({
  entries: [],
  folded: 0,
  memory: NEW,
  arranged: { due_ms: 0, due_day: 0, interval_days: 0 },
  last: null,
  facts: [],
  suspended: false,
  buried_until_ms: 0,
  state: null,
});

/**
 * Where an entry belongs among others in order, by bisection.
 *
 * @param {Entry} entry
 * @param {readonly Entry[]} entries
 */
function placeOf(entry, entries) {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(/** @type {Entry} */ (entries[middle]), entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * @param {Memory} memory
 * @param {import("./schedule.js").Arrangement} arranged
 * @returns {Choice}
 */
function choiceOf({ state, stability, difficulty, last_ms }, { due_ms, interval_days }) {
  if (state === "new") throw new Error("a rated card is not new");
  const label = intervalLabel(Math.round((due_ms - last_ms) / MINUTE_MS), interval_days);
  return { state, due_ms, interval_days, stability, difficulty, label };
}

// --- Reading a state ---

/**
 * When a card is due by the reader's clock now, in Unix time; 0 for a new one.
 *
 * A day begins elsewhere at another instant, so on a journey it is not `due_ms`.
 *
 * @param {CardState} state
 * @param {number} offsetMinutes
 */
export function dueMs({ state, due_day, due_ms }, offsetMinutes) {
  return state === "review" ? dayStart(due_day, offsetMinutes) : due_ms;
}

/**
 * Whether a card is suspended, or buried for today.
 *
 * @param {CardState} state
 * @param {number} nowMs
 */
export function isHidden({ suspended, buried_until_ms }, nowMs) {
  return suspended || nowMs < buried_until_ms;
}

/**
 * Whether a card is due. New and hidden ones are not.
 *
 * @param {CardState} state
 * @param {number} nowMs
 * @param {number} offsetMinutes
 */
export function isDue(state, nowMs, offsetMinutes) {
  return state.state !== "new" && !isHidden(state, nowMs) && dueMs(state, offsetMinutes) <= nowMs;
}

/**
 * What an entry keeps of what was decided.
 *
 * @param {Choice} choice
 * @returns {import("./types.js").Decided}
 */
export function decidedOf({ state, due_ms, interval_days, stability, difficulty }) {
  return { state, due: new Date(due_ms).toISOString(), interval_days, stability, difficulty };
}

/**
 * How many cards are where. Suspended ones are counted with the rest, and once more by themselves.
 *
 * @param {readonly CardState[]} states
 */
function countsOf(states) {
  const counts = { new: 0, learning: 0, young: 0, mature: 0, suspended: 0, leeches: 0 };
  for (const { state, interval_days, suspended, leech } of states) {
    if (state === "new") counts.new += 1;
    else if (state !== "review") counts.learning += 1;
    else if (interval_days < MATURE_DAYS) counts.young += 1;
    else counts.mature += 1;
    if (suspended) counts.suspended += 1;
    if (leech) counts.leeches += 1;
  }
  return counts;
}
