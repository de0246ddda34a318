// @ts-check
// The log of a session whose home is Python: entries go there by messages, and count as kept when Python says so.
//
// A message may be lost, Python busy for minutes, or killed. So everything may be said again: entries go by id, and
// the outbox lets go of one only when its id came back.

import { winner } from "./log.js";
import { words } from "./words.js";

/**
 * @import { Entry, Log } from "./types.js"
 * @import { Outbox } from "./outbox.js"
 */

/**
 * How the link to Python is.
 *
 * - connecting: it has not answered yet
 * - live: it answers
 * - silent: it has not answered for a while
 * - refused: it answers that it could not keep an entry
 * - gone: there is no kernel any more
 *
 * @typedef {"connecting" | "live" | "silent" | "refused" | "gone"} LinkState
 */

/**
 * @typedef {object} Link
 * @property {Log} log
 * @property {() => LinkState} state
 * @property {() => string} why  Why Python refused.
 * @property {() => {known: number, saved: number, waiting: number}} counts
 *   Entries that Python has; those of them that went from here; own ones that it has not.
 * @property {(listener: () => void) => () => void} onChange  State or counts changed.
 * @property {(message: unknown) => void} receive  Takes what Python says.
 * @property {() => void} hello  Asks Python for what is new.
 * @property {() => void} lose  The kernel is gone.
 * @property {() => void} resume  It is there again, the same one.
 * @property {Promise<void>} ready  Python's log is here, or Python does not answer.
 * @property {() => void} end
 */

const BATCH = 500; // entries in a message: some 150 kB
const PATIENCE_MS = 4000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Link a log to Python.
 *
 * @param {object} given
 * @param {(message: Record<string, unknown>) => void} given.send  May throw where there is no connection.
 * @param {Outbox} given.outbox
 * @param {() => number} [given.offsetMinutes]  Of local time, east of UTC.
 * @returns {Link}
 */
export function linkLog({ send, outbox, offsetMinutes = () => -new Date().getTimezoneOffset() }) {
  /** @type {Map<string, Entry>} */
  const byId = new Map(outbox.entries.map((entry) => [entry.id, entry]));
  /** What Python has not said it has. @type {Map<string, Entry>} */
  const waiting = new Map(byId);
  /** Refused for good. @type {Set<string>} */
  const refused = new Set();
  /** What was sent last and is not answered. @type {Set<string>} */
  let sent = new Set();
  let asked = false; // hello is not answered
  let heard = 0; // how many entries of Python's log, from its first on, are here
  let saved = 0;
  let pause_ms = PATIENCE_MS;
  let timer = 0;
  /** @type {LinkState} */
  let state = "connecting";
  let why = "";

  /** @type {Set<(added: readonly Entry[]) => void>} */
  const listeners = new Set();
  /** @type {Set<() => void>} */
  const stateListeners = new Set();
  /** @type {Set<() => void>} */
  const changeListeners = new Set();
  let wasPersistent = true;
  const tell = () => {
    for (const listener of [...changeListeners]) listener();
    if (wasPersistent === isPersistent()) return; // sessions count their cards again when they are told
    wasPersistent = !wasPersistent;
    for (const listener of [...stateListeners]) listener();
  };
  const isPersistent = () => outbox.persistent || state === "live" || state === "connecting";
  let settle = () => {};
  /** @type {Promise<void>} */
  const ready = new Promise((resolve) => (settle = resolve));

  const become = (/** @type {LinkState} */ next, reason = "") => {
    state = next;
    why = reason;
    if (next !== "connecting" && next !== "live") settle();
    tell();
  };

  const take = (/** @type {readonly Entry[]} */ entries) => {
    const added = entries.filter((entry) => {
      const known = byId.get(entry.id);
      if (known && winner(known, entry) === known) return false;
      byId.set(entry.id, entry);
      return true;
    });
    if (added.length) for (const listener of [...listeners]) listener(added);
    return added;
  };

  // --- What is said ---

  const say = (/** @type {Record<string, unknown>} */ message) => {
    try {
      send(message);
    } catch (error) {
      console.warn("flipcards: the message did not leave the page", error); // it is said again
    }
    wait();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(again, pause_ms);
  };
  /** No answer, or a bad one: everything that is open is said once more, ever more slowly. */
  const again = () => {
    pause_ms = Math.min(2 * pause_ms, LONGEST_PAUSE_MS);
    if (state !== "refused") become("silent");
    sent = new Set();
    hello();
    flush();
  };
  const hello = () => {
    if (state === "gone") return;
    asked = true;
    say({ type: "hello", known: heard, offset_minutes: offsetMinutes() });
  };
  /** One message at a time: the next one leaves when Python has answered, with all that has come up meanwhile. */
  const flush = () => {
    if (sent.size || state === "gone") return;
    /** @type {Entry[]} */
    const batch = [];
    for (const entry of waiting.values()) {
      if (batch.length === BATCH) break;
      if (!refused.has(entry.id)) batch.push(entry);
    }
    if (!batch.length) return;
    sent = new Set(batch.map(({ id }) => id));
    say({ type: "entries", entries: batch });
  };

  // --- What is heard ---

  /** @param {{from: number, entries: Entry[], total: number, acknowledged: string[]}} message */
  const hear = ({ from, entries, total, acknowledged }) => {
    take(entries);
    const gap = from > heard;
    if (!gap) heard = Math.max(heard, from + entries.length);
    const done = acknowledged.filter((id) => waiting.delete(id));
    saved += done.length;
    if (done.length) outbox.remove(done).catch(() => {}); // it goes again, and is known there
    for (const id of acknowledged) sent.delete(id);
    if (heard >= total) {
      asked = false;
      settle();
    }
    pause_ms = PATIENCE_MS;
    become("live");
    clearTimeout(timer);
    if (gap) return hello();
    flush();
    if (sent.size || asked) wait();
  };

  /** @param {{ids: string[], reason: string, final: boolean}} message */
  const hearRefusal = ({ ids, reason, final }) => {
    for (const id of ids) {
      sent.delete(id);
      if (final) refused.add(id);
    }
    asked = false;
    become("refused", reason);
    clearTimeout(timer);
    if (final) flush();
    else wait();
  };

  return {
    ready,
    hello,
    state: () => state,
    why: () => why,
    counts: () => ({ known: byId.size - waiting.size, saved, waiting: waiting.size }),
    onChange(listener) {
      changeListeners.add(listener);
      return () => void changeListeners.delete(listener);
    },
    receive(message) {
      const content = /** @type {Record<string, any> | null} */ (typeof message === "object" ? message : null);
      if (content?.type === "log") hear(/** @type {Parameters<typeof hear>[0]} */ (content));
      if (content?.type === "refused") hearRefusal(/** @type {Parameters<typeof hearRefusal>[0]} */ (content));
    },
    lose() {
      if (state === "gone") return;
      clearTimeout(timer);
      sent = new Set();
      asked = false;
      become("gone");
    },
    resume() {
      pause_ms = PATIENCE_MS;
      if (state === "gone") become("silent");
      sent = new Set();
      hello();
      flush();
    },
    end() {
      clearTimeout(timer);
      state = "gone";
      listeners.clear();
      stateListeners.clear();
      changeListeners.clear();
    },
    log: {
      device: outbox.device,
      entries: () => [...byId.values()],
      append(entries) {
        const added = take(entries);
        for (const entry of added) waiting.set(entry.id, entry);
        // What an earlier failure left in memory goes along.
        const kept = outbox.put(outbox.persistent ? added : [...waiting.values()]).finally(tell);
        flush();
        tell();
        return kept;
      },
      subscribe(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      onState(listener) {
        stateListeners.add(listener);
        return () => void stateListeners.delete(listener);
      },
      get persistent() {
        return isPersistent();
      },
      get reason() {
        return isPersistent() ? "" : words("kept")("notebook");
      },
      requestPersistence: async () => false, // Python keeps the log, not the browser
    },
  };
}
