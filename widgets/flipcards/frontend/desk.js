// @ts-check
// Where the sessions of a page meet its log: one desk a page or widget, which every section of cards shares.

import { dayOf, nextDayStart } from "./days.js";
import { createFold, decidedOf, dueMs, isHidden, resumeFold } from "./fold.js";
import { canonical, formatLines, LogError, makeBury, makeReview, makeSuspend, makeUndo, makeUnsuspend, parseLines } from "./log.js";
import { completeSettings, DEFAULTS } from "./schedule.js";
import { inSlices } from "./slices.js";
import { isDue } from "./study.js";
import { words } from "./words.js";

/** @import { Entry, Log, Rating, Settings } from "./types.js" */
/** @import { Fold } from "./fold.js" */

/** @typedef {Settings & {new_per_day: number}} StudySettings */

/**
 * Where the settings of a book are kept. Either may throw; the settings then last as long as the page.
 *
 * @typedef {object} Shelf
 * @property {() => Partial<StudySettings>} load
 * @property {(settings: Partial<StudySettings>) => void} save  Called with what differs from the defaults.
 */

/** @typedef {ReturnType<typeof createDesk>} Desk */

const NEW_PER_DAY = 10;
const FILE = "progress.jsonl";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const say = words("study");

/** @type {Shelf} */
const NO_SHELF = { load: () => ({}), save() {} };

/**
 * What a desk is made from.
 *
 * @typedef {object} Given
 * @property {Log} log
 * @property {Shelf} [shelf]
 * @property {() => number} [now]  Unix time in ms.
 * @property {() => number} [offsetMinutes]  Of local time, east of UTC.
 */

/**
 * A desk over a log that may be long: the page goes on while it is folded.
 *
 * @param {Given} given
 * @returns {Promise<Desk>}
 */
export async function openDesk(given) {
  const { log, shelf = NO_SHELF } = given;
  const fold = createFold(loadSettings(shelf));
  const stop = log.subscribe((added) => {
    for (const entry of added) fold.add(entry);
  });
  await inSlices(log.entries(), fold.add);
  await inSlices(fold.cards(), fold.state);
  stop();
  return createDesk({ ...given, fold });
}

/**
 * A desk over a log.
 *
 * @param {Given & {fold?: Fold}} given  `fold`: of all the log, by the settings on the shelf.
 */
export function createDesk({ log, shelf = NO_SHELF, now = Date.now, offsetMinutes = offsetHere, fold: made }) {
  let changed = loadSettings(shelf);
  const folded = () => {
    const made = createFold(changed);
    for (const entry of log.entries()) made.add(entry);
    return made;
  };
  let fold = made ?? folded();

  /** @type {Set<() => void>} */
  const listeners = new Set();
  const tell = () => {
    for (const listener of listeners) listener();
  };

  let writing = false;
  log.subscribe((added) => {
    // All of them: one that is known already may still have to be told from its double.
    const news = added.map((entry) => fold.add(entry)).some(Boolean);
    if (news && !writing) tell();
  });
  log.onState(() => {
    const cleared = log.entries().length < fold.size();
    if (cleared) fold = folded();
    tell();
  });

  const origin = (/** @type {string} */ card) => ({
    card,
    at_ms: now(),
    offset_minutes: offsetMinutes(),
    device: log.device,
  });
  const write = (/** @type {Entry} */ entry) => {
    writing = true;
    try {
      // Where it cannot be kept the log says so by its state, and has it in memory.
      log.append([entry]).catch(() => tell());
    } finally {
      writing = false;
    }
    tell();
    return entry.id;
  };

  const reading = createReading({ fold: () => fold, changed: () => changed, now, offsetMinutes });

  let asked = false;
  return {
    ...reading,
    /** The state of a card as the fold has it. */
    state: (/** @type {string} */ card) => fold.state(card),
    /** What each rating would do to a card now. */
    preview: (/** @type {string} */ card) => fold.preview(card, now(), offsetMinutes()),
    /** The fold as it stands, to go on from. */
    snapshot: () => fold.snapshot(),

    /**
     * Rate a card. The id of the entry is returned; the log makes it durable.
     *
     * @param {string} card
     * @param {Rating} rating
     * @param {number} duration_ms
     */
    rate(card, rating, duration_ms) {
      const from = origin(card);
      const decided = decidedOf(fold.preview(card, from.at_ms, from.offset_minutes)[rating]);
      return write(makeReview({ ...from, rating, duration_ms, decided }));
    },
    bury: (/** @type {string} */ card) => write(makeBury(origin(card))),
    suspend: (/** @type {string} */ card) => write(makeSuspend(origin(card))),
    unsuspend: (/** @type {string} */ card) => write(makeUnsuspend(origin(card))),
    undo: (/** @type {string} */ card, /** @type {string} */ entry) =>
      write(makeUndo({ ...origin(card), undoes: entry })),

    /**
     * Change settings of the book. Every card is folded again, for its intervals are others now.
     *
     * @param {Partial<StudySettings>} change
     */
    change(change) {
      changed = { ...changed, ...change };
      fold = folded();
      try {
        shelf.save(changed);
      } catch {
        // Kept as long as the page is.
      }
      tell();
    },

    /** Why progress is not kept; "" where it is. */
    notKept: () => (log.persistent ? "" : log.reason),
    /** Ask the browser, once, not to evict what was learned. */
    keep() {
      if (asked || !log.persistent) return;
      asked = true;
      log.requestPersistence().catch(() => {}); // a browser that refuses keeps the log for now
    },

    /**
     * Offer the whole log as a file.
     *
     * @param {HTMLElement} within  Where the link may stand for a moment.
     */
    download(within) {
      const address = URL.createObjectURL(new Blob([formatLines(log.entries())], { type: "application/x-ndjson" }));
      const link = document.createElement("a");
      link.href = address;
      link.download = FILE;
      link.hidden = true;
      within.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 60_000); // a slow download still reads it
    },

    /**
     * Merge a file into the log. Loading it twice changes nothing.
     *
     * @param {File} file
     * @returns {Promise<{added: number, known: number}>}
     * @throws {LogError}  The file is empty, damaged or no log; nothing was changed.
     */
    async load(file) {
      const entries = parseLines(await file.text(), file.name);
      if (!entries.length) throw new LogError(file.name, 0, words("file")("empty"));
      return this.take(entries);
    },

    /**
     * Merge entries into the log.
     *
     * @param {readonly Entry[]} entries
     * @returns {Promise<{added: number, known: number}>}
     */
    async take(entries) {
      const here = new Map(log.entries().map((entry) => [entry.id, entry]));
      const others = entries.filter((entry) => {
        const known = here.get(entry.id);
        return !known || canonical(known) !== canonical(entry);
      });
      const added = entries.filter(({ id }) => !here.has(id)).length;
      if (others.length) await log.append(others).catch(() => {}); // the log's state says where it is kept
      return { added, known: entries.length - added };
    },

    /**
     * Listen for changes of the log, wherever they were made, of its state and of the settings.
     *
     * @param {() => void} listener
     * @returns {() => void}  Ends it.
     */
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** @typedef {ReturnType<typeof createReading>} Reading  What a page can say of a log without writing to it. */

/**
 * The reading of a log whose snapshot was kept, or null where only the whole log can tell.
 *
 * @param {import("./fold.js").Snapshot} snapshot
 * @param {readonly Entry[]} since  What was written after it.
 * @param {Shelf} shelf
 * @returns {Reading | null}
 */
export function readSnapshot(snapshot, since, shelf) {
  const changed = loadSettings(shelf);
  const fold = resumeFold(snapshot, changed, since);
  return fold && createReading({ fold: () => fold, changed: () => changed, now: Date.now, offsetMinutes: offsetHere });
}

/**
 * @param {object} given
 * @param {() => Fold} given.fold
 * @param {() => Partial<StudySettings>} given.changed
 * @param {() => number} given.now
 * @param {() => number} given.offsetMinutes
 */
function createReading({ fold, changed, now, offsetMinutes }) {
  /** @type {import("./study.js").StatusOf} */
  const status = (card) => {
    const state = fold().state(card);
    return {
      state: state.state,
      due_ms: dueMs(state, offsetMinutes()),
      hidden: isHidden(state, now()),
      leech: state.leech,
    };
  };
  const until = () => nextDayStart(now(), offsetMinutes());
  const settings = () => ({ ...DEFAULTS, new_per_day: NEW_PER_DAY, ...changed() });
  const newLeft = () => Math.max(0, settings().new_per_day - fold().newToday(now(), offsetMinutes()));
  return {
    now,
    offsetMinutes,
    until,
    status,
    settings,
    newLeft,
    /** The figures of progress of these cards. */
    stats: (/** @type {Iterable<string>} */ cards) => fold().stats(now(), offsetMinutes(), cards),

    /**
     * What these cards have in store: when the next ones are due, how many are new, whether any is hidden.
     *
     * @param {readonly string[]} cards
     * @returns {{next: {count: number, when: string}[], fresh: number, hidden: boolean}}
     */
    coming(cards) {
      const [now_ms, end_ms] = [now(), until()];
      const today = dayOf(now_ms, offsetMinutes());
      const all = cards.map(status);
      const open = all.filter(({ hidden }) => !hidden);
      const ahead = open.filter(({ state }) => state !== "new");
      const soonest = (/** @type {typeof ahead} */ some) =>
        some.reduce((first, { due_ms }) => Math.min(first, due_ms), Infinity);
      /** @type {{count: number, when: string}[]} */
      const next = [];
      const isNow = (/** @type {typeof ahead[number]} */ one) => isDue(one, now_ms, end_ms);
      const due = ahead.filter(isNow);
      if (due.length) next.push({ count: due.length, when: say("now") });
      const later = ahead.filter((one) => one.due_ms < end_ms && !isNow(one));
      if (later.length) next.push({ count: later.length, when: inTime(soonest(later) - now_ms) });
      const days = ahead.filter(({ due_ms }) => due_ms >= end_ms);
      if (days.length) {
        const day = dayOf(soonest(days), offsetMinutes());
        const count = days.filter(({ due_ms }) => dayOf(due_ms, offsetMinutes()) === day).length;
        next.push({ count, when: inDays(day - today) });
      }
      const fresh = open.length - ahead.length;
      return { next, fresh, hidden: open.length < all.length };
    },
  };
}

/** Of local time where the page is, east of UTC. */
const offsetHere = () => -new Date().getTimezoneOffset();

/** @param {number} ms  From now, within the day. */
function inTime(ms) {
  if (ms <= MINUTE_MS) return say("inMinute");
  return ms < HOUR_MS
    ? say("inMinutes", { count: Math.ceil(ms / MINUTE_MS) })
    : say("inHours", { count: Math.round(ms / HOUR_MS) });
}

/** @param {number} count  From today, 1 or more. */
const inDays = (count) => (count === 1 ? say("tomorrow") : say("inDays", { count }));

/**
 * The settings on the shelf that make sense; the rest is forgotten.
 *
 * @param {Shelf} shelf
 * @returns {Partial<StudySettings>}
 */
function loadSettings(shelf) {
  try {
    const kept = shelf.load();
    completeSettings(kept);
    const { new_per_day = NEW_PER_DAY } = kept;
    return Number.isInteger(new_per_day) && new_per_day >= 0 ? kept : {};
  } catch {
    return {};
  }
}
