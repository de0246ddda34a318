// @ts-check
// Which card comes next in a session of study: pure functions of a state, without DOM, clock or storage.

/**
 * What the session has to know of a card; the log says it.
 *
 * @typedef {object} Status
 * @property {"new" | "learning" | "review" | "relearning"} state
 * @property {number} due_ms  Unix time at which the card is due; for a new card, 0.
 * @property {boolean} hidden  Suspended, or buried until tomorrow.
 * @property {boolean} leech  Forgotten again and again.
 */

/**
 * @typedef {(card: string) => Status} StatusOf
 * @typedef {"all" | "due" | "new" | "leech"} Kind
 */

/**
 * What happened to a card in the session.
 *
 * @typedef {object} Step
 * @property {string} card
 * @property {"rate" | "bury" | "suspend"} kind
 * @property {1 | 2 | 3 | 4 | 0} rating  0 where nothing was rated.
 * @property {boolean} was_new  Whether this was the first review of the card.
 * @property {number} duration_ms
 * @property {string | null} entry  The id of the log's entry; null for a cram, which writes none.
 */

/**
 * @typedef {object} Session
 * @property {readonly string[]} queue  Cards in the order they are asked.
 * @property {number} taken  How many of them were taken.
 * @property {readonly string[]} waiting  Cards that come back in this session, the longest waiting first.
 * @property {string | null} card  The card that is asked; null: there is none (any more).
 * @property {boolean} revealed
 * @property {number} shown_ms  When its question was shown.
 * @property {number} until_ms  The end of the reader's day: what is due before it is due today.
 * @property {boolean} cram  Whether ratings leave the schedule alone.
 * @property {readonly Step[]} steps
 * @property {readonly Session[]} before  The states that undo returns to, the latest last.
 */

/** A card in learning is asked earlier than it is due rather than let the reader wait this long. */
export const LEARN_AHEAD_MS = 20 * 60_000;
const UNDOS = 100;

/**
 * The cards to study: first those in learning, then the due ones, the longest overdue first, then new ones.
 *
 * @param {object} wanted
 * @param {readonly string[]} wanted.cards  In the order of the book.
 * @param {StatusOf} wanted.status
 * @param {number} wanted.now_ms
 * @param {number} wanted.until_ms  The end of the reader's day: a card due later today is due.
 * @param {number} wanted.new_limit  How many new cards may still be learned today.
 * @param {Kind} [wanted.kind]
 * @param {boolean} [wanted.cram]  Every card that is not suspended or buried, whatever its schedule.
 * @returns {string[]}
 */
export function plan({ cards, status, now_ms, until_ms, new_limit, kind = "all", cram = false }) {
  const open = cards.map((card) => ({ card, ...status(card) })).filter((card) => !card.hidden);
  const ofKind = open.filter((card) => {
    if (kind === "leech") return card.leech;
    if (kind === "new") return card.state === "new";
    return kind === "all" || isDue(card, now_ms, until_ms);
  });
  if (cram) return ofKind.map(({ card }) => card);
  const due = ofKind.filter((card) => isDue(card, now_ms, until_ms));
  const inLearning = (/** @type {Status} */ { state }) => (state === "review" ? 1 : 0);
  due.sort((a, b) => inLearning(a) - inLearning(b) || a.due_ms - b.due_ms);
  const fresh = ofKind.filter((card) => card.state === "new").slice(0, Math.max(0, new_limit));
  return [...due, ...fresh].map(({ card }) => card);
}

/**
 * Whether a card is due: today, or very soon when it is in learning. A new card is not.
 *
 * @param {Status} status
 * @param {number} now_ms
 * @param {number} until_ms  The end of the reader's day.
 */
export function isDue({ state, due_ms }, now_ms, until_ms) {
  if (state === "new") return false;
  return state === "review" ? due_ms < until_ms : due_ms <= now_ms + LEARN_AHEAD_MS;
}

/**
 * A session over these cards, with the first one asked.
 *
 * @param {readonly string[]} queue
 * @param {StatusOf} status
 * @param {{now_ms: number, until_ms: number, cram?: boolean}} options
 * @returns {Session}
 */
export function begin(queue, status, { now_ms, until_ms, cram = false }) {
  /** @type {Session} */
  const session = {
    queue,
    taken: 0,
    waiting: [],
    card: null,
    revealed: false,
    shown_ms: now_ms,
    until_ms,
    cram,
    steps: [],
    before: [],
  };
  return ask(session, status, now_ms);
}

/**
 * The session with the next card asked: one in learning whose time has come, else the next of the queue,
 * else one in learning that is due soon.
 *
 * Cards that another tab has rated, buried or suspended meanwhile are passed over.
 *
 * @param {Session} session
 * @param {StatusOf} status
 * @param {number} now_ms
 * @returns {Session}
 */
export function ask(session, status, now_ms) {
  const shown = (/** @type {Partial<Session>} */ changes) => ({
    ...session,
    ...changes,
    revealed: false,
    shown_ms: now_ms,
  });
  const waiting = session.waiting.filter((card) => comesBack(session, card, status));
  const ready = (/** @type {number} */ before) =>
    session.cram
      ? (waiting[0] ?? null)
      : waiting
          .map((card) => ({ card, due_ms: status(card).due_ms }))
          .filter(({ due_ms }) => due_ms <= before)
          .reduce(earlier, { card: null, due_ms: Infinity }).card;
  const without = (/** @type {string} */ chosen) => waiting.filter((card) => card !== chosen);

  const now = session.cram ? null : ready(now_ms);
  if (now !== null) return shown({ card: now, waiting: without(now) });
  for (let taken = session.taken; taken < session.queue.length; taken++) {
    const card = /** @type {string} */ (session.queue[taken]);
    if (isOpen(session, card, status, now_ms)) return shown({ card, waiting, taken: taken + 1 });
  }
  const soon = ready(now_ms + LEARN_AHEAD_MS);
  return shown({ card: soon, waiting: soon === null ? waiting : without(soon), taken: session.queue.length });
}

/**
 * @param {{card: string | null, due_ms: number}} a
 * @param {{card: string | null, due_ms: number}} b
 */
function earlier(a, b) {
  return b.due_ms < a.due_ms ? b : a;
}

/**
 * Whether a card that was rated in the session is asked in it again.
 *
 * @param {Session} session
 * @param {string} card
 * @param {StatusOf} status
 */
function comesBack(session, card, status) {
  const { hidden, state } = status(card);
  return !hidden && (session.cram || state === "learning" || state === "relearning");
}

/**
 * Whether a card of the queue is still to be asked: rated elsewhere meanwhile, it is due another day.
 *
 * @param {Session} session
 * @param {string} card
 * @param {StatusOf} statusOf
 * @param {number} now_ms
 */
function isOpen(session, card, statusOf, now_ms) {
  const status = statusOf(card);
  return !status.hidden && (session.cram || status.state === "new" || isDue(status, now_ms, session.until_ms));
}

/**
 * The session after the log has taken entries from elsewhere: what was settled there is passed over.
 *
 * @param {Session} session
 * @param {StatusOf} status
 * @param {number} now_ms
 * @param {boolean} [rated]
 *   Whether the card that is asked was rated elsewhere meanwhile: it comes back when it is due, not at once.
 * @returns {Session}
 */
export function refresh(session, status, now_ms, rated = false) {
  const { card, revealed, taken, cram } = session;
  const rest = session.queue.slice(taken).filter((one) => isOpen(session, one, status, now_ms));
  const after = { ...session, queue: [...session.queue.slice(0, taken), ...rest] };
  if (card === null) return ask(after, status, now_ms);
  if (revealed) return after;
  if (rated && !cram) return ask({ ...after, waiting: [...session.waiting, card] }, status, now_ms);
  return isOpen(session, card, status, now_ms) ? after : ask(after, status, now_ms);
}

/**
 * The session with the answer shown.
 *
 * @param {Session} session
 * @returns {Session}
 */
export function reveal(session) {
  return session.card === null ? session : { ...session, revealed: true };
}

/**
 * The session after something was done with its card, and with the next one asked.
 *
 * A rating before the answer was shown is none: the session stays as it is.
 *
 * @param {Session} session
 * @param {Omit<Step, "card">} step
 * @param {StatusOf} status  After the log took the entry.
 * @param {number} now_ms
 * @returns {Session}
 */
export function take(session, step, status, now_ms) {
  const { card } = session;
  if (card === null || (step.kind === "rate" && !session.revealed)) return session;
  const again = step.kind === "rate" && (!session.cram || step.rating === 1);
  const before = [...session.before, { ...session, before: [] }].slice(-UNDOS);
  const after = {
    ...session,
    waiting: again ? [...session.waiting, card] : session.waiting,
    steps: [...session.steps, { card, ...step }],
    before,
  };
  return ask(after, status, now_ms);
}

/**
 * The last step of the session, if it can be undone.
 *
 * @param {Session} session
 * @returns {Step | null}
 */
export function lastStep(session) {
  return session.before.length ? (session.steps.at(-1) ?? null) : null;
}

/**
 * The session as it was before its last step: the same card, with its answer if it had been shown.
 *
 * @param {Session} session
 * @param {number} now_ms
 * @returns {Session}
 */
export function undo(session, now_ms) {
  const before = session.before.at(-1);
  return before ? { ...before, before: session.before.slice(0, -1), shown_ms: now_ms } : session;
}

/**
 * How many cards are done with in the session, how many are left in it, and how many of these come again.
 *
 * @param {Session} session
 * @param {StatusOf} status
 * @param {number} now_ms
 * @returns {{done: number, left: number, again: number}}
 */
export function progress(session, status, now_ms) {
  const waiting = session.waiting.filter((card) => comesBack(session, card, status));
  const soon = session.cram
    ? waiting
    : waiting.filter((card) => status(card).due_ms <= now_ms + LEARN_AHEAD_MS);
  const left = session.queue.length - session.taken + soon.length + (session.card === null ? 0 : 1);
  // A card that was put away is not done with: it is gone from the session.
  const seen = new Set(session.steps.filter(({ kind }) => kind === "rate").map(({ card }) => card));
  const rated = seen.size;
  for (const card of soon) seen.delete(card);
  if (session.card !== null) seen.delete(session.card);
  return { done: seen.size, left, again: rated - seen.size };
}

/**
 * What was achieved in the session.
 *
 * @typedef {object} Summary
 * @property {number} reviews  Ratings given.
 * @property {number} cards  Cards rated.
 * @property {number} learned  Cards seen for the first time.
 * @property {number} recalled  Ratings of cards seen before that were not Again.
 * @property {number} asked  Ratings of cards seen before.
 * @property {number} time_ms
 */

/**
 * @param {Session} session
 * @returns {Summary}
 */
export function summarise(session) {
  const rated = session.steps.filter(({ kind }) => kind === "rate");
  const fresh = new Set(rated.filter(({ was_new }) => was_new).map(({ card }) => card));
  const old = rated.filter(({ card }) => !fresh.has(card));
  return {
    reviews: rated.length,
    cards: new Set(rated.map(({ card }) => card)).size,
    learned: fresh.size,
    recalled: old.filter(({ rating }) => rating > 1).length,
    asked: old.length,
    time_ms: rated.reduce((sum, { duration_ms }) => sum + duration_ms, 0),
  };
}
