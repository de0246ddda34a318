// @ts-check
// Entries of the review log: made, read, written, merged. No DOM, no storage, no scheduling.

/**
 * @import { Decided, Entry, Mark, Rating, Review, Undo } from "./types.js"
 */

import { words } from "./words.js";

export const SCHEMA = 1;

const say = words("file");

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const KINDS = ["review", "undo", "bury", "suspend", "unsuspend"];
const STATES = ["learning", "review", "relearning"];
const FARTHEST_OFFSET_MINUTES = 26 * 60;

// --- Making entries ---

/**
 * A new UUID in lower case.
 *
 * A page that is not served securely has no `randomUUID`, and some hosts have no `crypto` at all.
 *
 * @returns {string}
 */
export function newId() {
  const { crypto } = globalThis;
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = new Uint8Array(16);
  if (crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else bytes.forEach((_, at) => (bytes[at] = Math.floor(Math.random() * 256)));
  bytes[6] = (/** @type {number} */ (bytes[6]) & 0x0f) | 0x40;
  bytes[8] = (/** @type {number} */ (bytes[8]) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * What every entry is made from.
 *
 * @typedef {object} Origin
 * @property {string} card
 * @property {number} at_ms  Unix time.
 * @property {number} offset_minutes
 * @property {string} device
 * @property {string} [id]  A new one where it is left out.
 */

/**
 * @param {Origin} origin
 */
function base({ card, at_ms, offset_minutes, device, id = newId() }) {
  const at = new Date(Math.round(at_ms)).toISOString();
  return { schema: /** @type {1} */ (SCHEMA), id, card, at, offset_minutes: Math.round(offset_minutes), device };
}

/**
 * @param {Origin & {rating: Rating, duration_ms: number, decided?: Decided | null}} review
 * @returns {Review}
 */
export function makeReview({ rating, duration_ms, decided = null, ...origin }) {
  // A clock set back while the card was shown must not give a negative time.
  return { ...base(origin), kind: "review", rating, duration_ms: Math.max(0, Math.round(duration_ms)), decided };
}

/**
 * The entry that takes another one back.
 *
 * @param {Origin & {undoes: string}} undo
 * @returns {Undo}
 */
export function makeUndo({ undoes, ...origin }) {
  return { ...base(origin), kind: "undo", undoes };
}

/**
 * @param {"bury" | "suspend" | "unsuspend"} kind
 * @returns {(origin: Origin) => Mark}
 */
const marking = (kind) => (origin) => ({ ...base(origin), kind });

/** Hides a card until the next day begins. */
export const makeBury = marking("bury");
/** Hides a card until it is unsuspended. */
export const makeSuspend = marking("suspend");
export const makeUnsuspend = marking("unsuspend");

// --- Order and identity ---

/**
 * The order of entries: by instant, then by id.
 *
 * @param {Entry} a
 * @param {Entry} b
 * @returns {number}
 */
export function compare(a, b) {
  const atA = a.at ?? "";
  const atB = b.at ?? "";
  if (atA !== atB) return atA < atB ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

/**
 * An entry as JSON that is the same for the same entry: keys in order, ASCII, no spaces.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function canonical(value) {
  return sortedJson(value).replace(/[\u007f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function sortedJson(value) {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([key, one]) => `${JSON.stringify(key)}:${sortedJson(one)}`).join(",")}}`;
}

/**
 * Which of two entries with one id counts: always the same one, whichever came first.
 *
 * Every writer makes ids of its own, so two different entries under one id are damage. Both sides of a merge
 * must still agree.
 *
 * @template {Entry} Kind
 * @param {Kind} a
 * @param {Kind} b
 * @returns {Kind}
 */
export function winner(a, b) {
  return a === b || canonical(a) <= canonical(b) ? a : b;
}

/**
 * The union of logs, by id.
 *
 * @param {...Iterable<Entry>} logs
 * @returns {Map<string, Entry>}
 */
export function union(...logs) {
  /** @type {Map<string, Entry>} */
  const byId = new Map();
  for (const log of logs) {
    for (const entry of log) {
      const known = byId.get(entry.id);
      byId.set(entry.id, known ? winner(known, entry) : entry);
    }
  }
  return byId;
}

/**
 * The union of logs, in order.
 *
 * @param {...Iterable<Entry>} logs
 * @returns {Entry[]}
 */
export function merge(...logs) {
  return [...union(...logs).values()].sort(compare);
}

// --- The file ---

/** A log that cannot be read. Its message says where, what is wrong and what to do. */
export class LogError extends Error {
  /**
   * @param {string} name  Of the file.
   * @param {number} line  From 1; 0 for the whole file.
   * @param {string} what
   */
  constructor(name, line, what) {
    super(line ? `${name}:${line}: ${what}` : `${name}: ${what}`);
    this.name = "LogError";
    this.line = line;
  }
}

/** A log whose last line was cut off. All lines before it are whole. */
export class TruncatedLogError extends LogError {
  /**
   * @param {string} name
   * @param {number} line
   * @param {Entry[]} entries  Those of the whole lines.
   */
  constructor(name, line, entries) {
    super(name, line, say("cut"));
    this.name = "TruncatedLogError";
    this.entries = entries;
  }
}

/**
 * The entries of a log's text, in the order of the file; of lines with one id, one.
 *
 * Empty lines, CRLF and a byte order mark are accepted. Entries of a later schema are kept as they are.
 *
 * @param {string} text
 * @param {string} name  Of the file, for messages.
 * @returns {Entry[]}
 * @throws {TruncatedLogError}  The last line is cut off; the error has the entries before it.
 * @throws {LogError}  Anything else that is no log.
 */
export function parseLines(text, name) {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const whole = lines.at(-1)?.trim() === "";
  while (lines.at(-1)?.trim() === "") lines.pop();
  /** @type {Map<string, Entry>} */
  const byId = new Map();
  for (const [at, line] of lines.entries()) {
    if (!line.trim()) continue;
    /** @type {unknown} */
    let value;
    try {
      value = JSON.parse(line);
    } catch {
      const last = at === lines.length - 1;
      if (last && !whole && (byId.size || line.includes('"schema"'))) {
        throw new TruncatedLogError(name, at + 1, [...byId.values()]);
      }
      throw new LogError(name, at + 1, say(byId.size ? "noJson" : "foreign"));
    }
    const fault = faultOf(value);
    if (fault) throw new LogError(name, at + 1, fault);
    const entry = /** @type {Entry} */ (value);
    const known = byId.get(entry.id);
    byId.set(entry.id, known ? winner(known, entry) : entry);
  }
  return [...byId.values()];
}

/**
 * A log as text: a line an entry, in order.
 *
 * @param {Iterable<Entry>} entries
 */
export function formatLines(entries) {
  return [...entries]
    .sort(compare)
    .map((entry) => `${JSON.stringify(entry)}\n`)
    .join("");
}

/**
 * What is wrong with an entry, in words for whoever has the file before them; "" when nothing is.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function faultOf(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value) || !("schema" in value)) {
    return say("noEntry");
  }
  const entry = /** @type {Record<string, unknown>} */ (value);
  const { schema, id, at, kind } = entry;
  if (!isWhole(schema) || schema < 1) return wrong("schema", schema, "wholeFromOne");
  if (typeof id !== "string" || !UUID.test(id)) return wrong("id", id, "uuid");
  if (schema > SCHEMA) return at === undefined || typeof at === "string" ? "" : wrong("at", at, "text");
  if (typeof kind !== "string" || !KINDS.includes(kind)) {
    return wrong("kind", kind, "oneOf", KINDS);
  }
  if (typeof entry.card !== "string" || !entry.card) return wrong("card", entry.card, "cardId");
  if (!isInstant(at)) return wrong("at", at, "instant");
  const offset = entry.offset_minutes;
  if (!isWhole(offset) || Math.abs(offset) > FARTHEST_OFFSET_MINUTES) {
    return wrong("offset_minutes", offset, "offset");
  }
  if (typeof entry.device !== "string" || !UUID.test(entry.device)) {
    return wrong("device", entry.device, "uuid");
  }
  if (kind === "undo" && (typeof entry.undoes !== "string" || !UUID.test(entry.undoes))) {
    return wrong("undoes", entry.undoes, "entryId");
  }
  return kind === "review" ? faultOfReview(entry) : "";
}

/**
 * @param {string} key
 * @param {unknown} value
 * @param {Parameters<typeof say>[0]} wanted  The message that says what it must be.
 * @param {readonly string[]} [names]
 */
const wrong = (key, value, wanted, names = []) =>
  say("wrong", { key, value: show(value), wanted: say(wanted, { names: names.join(", ") }) });

/**
 * @param {Record<string, unknown>} review
 */
function faultOfReview({ rating, duration_ms, decided }) {
  if (!isWhole(rating) || rating < 1 || rating > 4) {
    return wrong("rating", rating, "rating");
  }
  if (!isWhole(duration_ms) || duration_ms < 0) {
    return wrong("duration_ms", duration_ms, "milliseconds");
  }
  if (decided === null || decided === undefined) return "";
  if (typeof decided !== "object" || Array.isArray(decided)) return wrong("decided", decided, "objectOrNull");
  const { state, due, ...numbers } = /** @type {Record<string, unknown>} */ (decided);
  if (typeof state !== "string" || !STATES.includes(state)) {
    return wrong("decided.state", state, "oneOf", STATES);
  }
  if (!isInstant(due)) return wrong("decided.due", due, "instant");
  for (const key of ["interval_days", "stability", "difficulty"]) {
    const number = numbers[key];
    if (!Number.isFinite(number) || Number(number) < 0) return wrong(`decided.${key}`, number, "fromZero");
  }
  return "";
}

/**
 * @param {unknown} value
 * @returns {value is number}
 */
const isWhole = (value) => Number.isSafeInteger(value);

/**
 * @param {unknown} value
 */
function isInstant(value) {
  if (typeof value !== "string" || !AT.test(value)) return false;
  // The 30th of February parses in some engines, as another day.
  const ms = Date.parse(value);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value;
}

/**
 * @param {unknown} value
 */
function show(value) {
  if (value === undefined) return say("missing");
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
