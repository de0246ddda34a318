// @ts-check
// Where a page keeps its log: IndexedDB, shared by the tabs of a browser; memory where there is none.
//
// The database is append-only as well: each write is a block, a JSON array of entries, and a log is the union of its
// blocks. So no write waits for another tab's, and a long log is read in a tenth of the time that a record an entry
// would take. Small blocks are gathered into larger ones; none is so large that reading it would hold up the page.
//
// Beside them may be a snapshot of the fold over the first blocks, so that a page can say where a long log stands
// before it has read it. It is a copy that can be made anew, and counts only while those blocks are the same.
//
// What was accepted stays in memory until it is on disk, and is written again after every failure. So a full disk,
// a deleted database or a browser that keeps nothing costs the durability of an entry, never the entry.

import { openDB } from "idb";
import { merge, newId, union, winner } from "./log.js";
import { inSlices } from "./slices.js";
import { words } from "./words.js";

/**
 * @import { IDBPDatabase } from "idb"
 * @import { Entry, Log } from "./types.js"
 */

const say = words("kept");

const WRITTEN = "written";
const CLEARED = "cleared";

const VERSION = 1;
const BLOCKS = "blocks";
const META = "meta";
const SNAPSHOT = "snapshot";
/** As many blocks of fewer than `LARGE` entries are gathered. */
const MANY = 200;
/** As many entries are in a block at most. */
const LARGE = 1000;
/** A browser that has not opened the database by then is not waited for; it may still come. */
const PATIENCE_MS = 4000;
const RETRY_MS = 10_000;
/** What a transaction fails with when its connection has ended. */
const CLOSED = ["InvalidStateError", "AbortError"];
/** What opening fails with where the browser keeps nothing. */
const REFUSED = ["InvalidStateError", "NotSupportedError", "SecurityError"];

/**
 * A log in the browser's storage.
 *
 * @typedef {Log & Kept & {clear: () => Promise<void>, close: () => void}} StoredLog
 * @typedef {object} Kept
 * @property {() => number} beyondSnapshot  How many entries the snapshot that is kept does not cover.
 * @property {(make: () => unknown) => Promise<void>} keepSnapshot
 *   Keep what is made, as JSON, of all the entries at the time of the call of `make`. Does nothing while one of
 *   them is not on disk, or where null is made.
 */

/**
 * Open the log of a book. Never rejects: where the browser keeps nothing, the log is in memory and says so.
 *
 * @param {string} book  Its id: sites under one origin share a storage.
 * @param {object} [options]
 * @param {boolean} [options.memory]  Keep nothing, as if the browser had no storage.
 * @param {(snapshot: unknown, since: Entry[]) => void} [options.onSnapshot]
 *   Called with the snapshot that is kept and what was written since, before the rest of the log is read.
 * @returns {Promise<StoredLog>}
 */
export async function openLog(book, { memory = false, onSnapshot } = {}) {
  const name = `flipcards:${book}`;
  const ending = new AbortController();
  let device = newId();
  /** @type {Map<string, Entry>} */
  const byId = new Map();
  /** Entries that are not on disk yet, as far as this page knows. @type {Map<string, Entry>} */
  const unsaved = new Map();
  let reason = memory ? say("refused") : say("opening");

  // --- Listeners ---

  /** @type {Set<(added: readonly Entry[]) => void>} */
  const listeners = new Set();
  /** @type {Set<() => void>} */
  const stateListeners = new Set();
  const setReason = (/** @type {string} */ next) => {
    if (ending.signal.aborted || next === reason) return;
    reason = next;
    for (const listener of [...stateListeners]) listener();
  };

  /**
   * Take entries into memory and tell who listens.
   *
   * @param {readonly Entry[]} entries
   * @returns {Entry[]}  Those that count and were not known.
   */
  const take = (entries) => {
    const added = entries.filter((entry) => {
      const known = byId.get(entry.id);
      const counts = known ? winner(known, entry) : entry;
      if (counts === known) return false;
      byId.set(entry.id, entry);
      return true;
    });
    if (added.length) for (const listener of [...listeners]) listener(added);
    return added;
  };

  // --- Other tabs ---

  const channel = memory ? null : openChannel(name);
  channel?.addEventListener("message", ({ data }) => {
    if (data === CLEARED) forget();
    else catchUp().catch(fail);
  });
  const tellTabs = (/** @type {string} */ message) => {
    try {
      channel?.postMessage(message);
    } catch {
      // Closed. The other tabs catch up when they are looked at.
    }
  };

  // --- The database ---

  /** @type {IDBPDatabase | null} */
  let database = null;
  /** The last block that was read; what is beyond it others have written. */
  let lastKey = 0;
  /** As many entries are in the snapshot, about. */
  let covered = 0;
  /** @type {Promise<void>} */
  let gathering = Promise.resolve();
  /** What is on its way to the disk. @type {Set<Promise<void>>} */
  const saving = new Set();
  /** @type {Promise<void> | null} */
  let connecting = null;

  /** Open the database, read what memory lacks, write what the database lacks. Rejects when that fails. */
  const connect = () => {
    connecting ??= reconcile().finally(() => {
      connecting = null;
    });
    return connecting;
  };

  const reconcile = async () => {
    const opened = await open(name, () => lose(opened));
    try {
      device = await deviceOf(opened, device);
      const seen = await snapshotOf(opened);
      if (seen) onSnapshot?.(seen.snapshot, seen.since);
      const stored = await blocksAfter(opened, 0);
      if (ending.signal.aborted) throw new DOMException("the log was closed", "AbortError");
      await inSlices(stored, ({ entries }) => take(entries));
      // From here to the opening of the database in one go: what is accepted meanwhile must not fall between.
      const kept = stored.flatMap(({ entries }) => entries);
      const fromDisk = new Set(kept);
      const missing = lacking(kept, [...byId.values()].filter((entry) => !fromDisk.has(entry)));
      lastKey = stored.at(-1)?.key ?? 0;
      covered = seen ? byId.size - seen.since.length : 0;
      database = opened;
      await write(opened, missing);
      gathering = gather(opened, stored).catch(() => {}); // the next page tries again
    } catch (error) {
      opened.close();
      if (database === opened) database = null;
      throw error;
    }
  };

  /** The connection is gone: the database was deleted, or a newer page wants to change it. */
  const lose = (/** @type {IDBPDatabase} */ lost) => {
    lost.close();
    if (database !== lost) return;
    database = null;
    connect().catch(fail);
  };

  const write = async (/** @type {IDBPDatabase} */ to, /** @type {readonly Entry[]} */ entries) => {
    if (entries.length) {
      const { first, last } = await addBlocks(to, entries);
      if (first === lastKey + 1) lastKey = last;
    }
    for (const entry of entries) if (unsaved.get(entry.id) === entry) unsaved.delete(entry.id);
    if (unsaved.size === 0) setReason("");
    if (entries.length) tellTabs(WRITTEN);
  };

  /**
   * Bring entries to disk.
   *
   * Where the database is open the transaction begins in this very task, so that a page that is closed next has
   * handed it over.
   *
   * @param {readonly Entry[]} entries
   */
  const save = async (entries) => {
    for (const entry of entries) unsaved.set(entry.id, entry);
    if (memory) throw new Error(reason);
    const to = database;
    try {
      // After a failure, what was left goes along.
      if (to) await write(to, reason ? [...unsaved.values()] : entries).catch((error) => reopen(to, error));
      else await connect();
    } catch (error) {
      fail(error);
      throw error;
    }
  };

  /** A connection that ended under a transaction is no fault: open another. */
  const reopen = (/** @type {IDBPDatabase} */ from, /** @type {unknown} */ error) => {
    if (!CLOSED.includes(nameOf(error))) throw error;
    from.close();
    if (database === from) database = null;
    return connect();
  };

  const fail = (/** @type {unknown} */ error) => {
    if (ending.signal.aborted) return;
    setReason(reasonOf(error));
    clearTimeout(retrying);
    retrying = setTimeout(() => save([]).catch(() => {}), RETRY_MS);
  };
  let retrying = 0;

  const forget = () => {
    byId.clear();
    unsaved.clear();
    for (const listener of [...stateListeners]) listener();
  };

  /** Read what others have written since. */
  const catchUp = async () => {
    // What was written while the log was being opened may have been missed.
    await connecting?.catch(() => {});
    const from = database;
    if (!from) return;
    for (const { key, entries } of await blocksAfter(from, lastKey)) {
      if (database === from) lastKey = Math.max(lastKey, key);
      take(entries);
    }
  };
  // A page from the back/forward cache, or one whose browser has no channels, was not told.
  if (!memory && typeof document !== "undefined") {
    const { signal } = ending;
    for (const event of ["visibilitychange", "pageshow"]) {
      addEventListener(event, () => catchUp().catch(fail), { capture: true, signal });
    }
  }

  if (!memory) {
    const opened = connect().catch(fail);
    await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  }

  return {
    get device() {
      return device;
    },
    get persistent() {
      return reason === "";
    },
    get reason() {
      return reason;
    },
    entries: () => [...byId.values()],
    append(entries) {
      const added = new Set(take(entries));
      const open = entries.filter((entry) => added.has(entry) || unsaved.has(entry.id));
      if (!open.length) return Promise.resolve();
      const saved = save(open);
      saving.add(saved);
      const done = () => void saving.delete(saved);
      saved.then(done, done);
      return saved;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onState(listener) {
      stateListeners.add(listener);
      return () => void stateListeners.delete(listener);
    },
    async requestPersistence() {
      try {
        return (await navigator.storage?.persist?.()) ?? false;
      } catch {
        return false;
      }
    },
    beyondSnapshot: () => byId.size - covered,
    async keepSnapshot(make) {
      await gathering;
      await Promise.allSettled(saving);
      await catchUp();
      if (!database || unsaved.size > 0) return;
      const [snapshot, key, count] = [make(), lastKey, byId.size];
      if (!snapshot) return;
      await putSnapshot(database, snapshot, key);
      covered = count;
    },
    async clear() {
      await connecting?.catch(() => {});
      if (database) {
        await database.delete(META, SNAPSHOT);
        await database.clear(BLOCKS);
      }
      covered = 0;
      forget();
      tellTabs(CLEARED);
    },
    close() {
      ending.abort();
      clearTimeout(retrying);
      channel?.close();
      database?.close();
    },
  };
}

/**
 * @param {string} name
 * @returns {BroadcastChannel | null}
 */
function openChannel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {() => void} lost  Called when the connection has to end.
 */
async function open(name, lost) {
  if (!globalThis.indexedDB) throw new DOMException("no IndexedDB", "NotSupportedError");
  /** @type {import("idb").OpenDBCallbacks<unknown>} */
  const callbacks = {
    upgrade(database) {
      database.createObjectStore(BLOCKS, { autoIncrement: true });
      database.createObjectStore(META);
    },
    blocking: lost,
    terminated: lost,
  };
  try {
    return await openDB(name, VERSION, callbacks);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "VersionError") throw error;
    // A newer page has changed the database. Its blocks hold entries like ours, or of a later schema.
    return openDB(name, undefined, callbacks);
  }
}

/**
 * The id of this browser profile, kept beside the log.
 *
 * @param {IDBPDatabase} database
 * @param {string} proposed
 * @returns {Promise<string>}
 */
async function deviceOf(database, proposed) {
  const transaction = database.transaction(META, "readwrite");
  const known = await transaction.store.get("device");
  if (!known) await transaction.store.put(proposed, "device");
  await transaction.done;
  return known ?? proposed;
}

/**
 * A block as it was read.
 *
 * @typedef {{key: number, entries: Entry[]}} Block
 */

/**
 * The blocks that were written after a key, in order. One is read at a time, so that the page goes on meanwhile.
 *
 * @param {IDBPDatabase} database
 * @param {number} after
 * @returns {Promise<Block[]>}
 */
async function blocksAfter(database, after) {
  const { store } = database.transaction(BLOCKS);
  const keys = await store.getAllKeys(IDBKeyRange.lowerBound(after, true));
  /** @type {Block[]} */
  const blocks = [];
  for (const key of keys) blocks.push({ key: Number(key), entries: JSON.parse(await store.get(key)) });
  return blocks;
}

/**
 * Write entries as blocks, all or none. Resolves with the keys of the first and the last when they are on disk.
 *
 * @param {IDBPDatabase} database
 * @param {readonly Entry[]} entries  At least one.
 * @param {readonly number[]} [instead]  Keys of the blocks that they take the place of.
 * @returns {Promise<{first: number, last: number}>}
 */
async function addBlocks(database, entries, instead = []) {
  const transaction = database.transaction(BLOCKS, "readwrite", { durability: "strict" });
  const { store } = transaction;
  const parts = Math.ceil(entries.length / LARGE);
  const added = Array.from({ length: parts }, (_, part) => {
    return store.add(JSON.stringify(entries.slice(part * LARGE, (part + 1) * LARGE)));
  });
  const changes = [...added, ...instead.map((key) => store.delete(key))];
  // `done` has the cause of a failure; the changes would say that they were aborted.
  for (const change of changes) change.catch(() => {});
  // Said aloud, so that it does not wait for a page that is about to go.
  transaction.commit();
  await transaction.done;
  const keys = await Promise.all(added);
  return { first: Number(keys[0]), last: Number(keys.at(-1)) };
}

/**
 * Make large blocks of many small ones. Two tabs may do so at once: then entries are there twice, and count once.
 *
 * @param {IDBPDatabase} database
 * @param {readonly Block[]} blocks
 */
async function gather(database, blocks) {
  const small = blocks.filter(({ entries }) => entries.length < LARGE);
  if (small.length < MANY) return;
  const keys = small.map(({ key }) => key);
  await addBlocks(database, merge(...small.map(({ entries }) => entries)), keys);
}

/**
 * The snapshot, and what was written after it; null where there is none, or where a block it covers is gone.
 *
 * A block is never changed, and its key never used again.
 *
 * @param {IDBPDatabase} database
 * @returns {Promise<{snapshot: unknown, since: Entry[]} | null>}
 */
async function snapshotOf(database) {
  const transaction = database.transaction([BLOCKS, META]);
  const kept = await transaction.objectStore(META).get(SNAPSHOT);
  if (!kept) return null;
  const blocks = transaction.objectStore(BLOCKS);
  if ((await blocks.count(IDBKeyRange.upperBound(kept.key))) !== kept.blocks) return null;
  const texts = await blocks.getAll(IDBKeyRange.lowerBound(kept.key, true));
  return { snapshot: JSON.parse(kept.text), since: texts.flatMap((text) => JSON.parse(text)) };
}

/**
 * Keep a snapshot.
 *
 * @param {IDBPDatabase} database
 * @param {unknown} snapshot
 * @param {number} key  Of the last block that it covers; it covers all before as well.
 */
async function putSnapshot(database, snapshot, key) {
  const text = JSON.stringify(snapshot);
  const transaction = database.transaction([BLOCKS, META], "readwrite");
  const blocks = await transaction.objectStore(BLOCKS).count(IDBKeyRange.upperBound(key));
  await transaction.objectStore(META).put({ key, blocks, text }, SNAPSHOT);
  await transaction.done;
}

/**
 * The entries that a log lacks, or has another one for.
 *
 * @param {readonly Entry[]} log
 * @param {readonly Entry[]} entries
 */
function lacking(log, entries) {
  if (!entries.length) return [];
  const known = union(log);
  return entries.filter((entry) => {
    const one = known.get(entry.id);
    return !one || winner(one, entry) !== one;
  });
}

/** @param {unknown} error */
const nameOf = (error) => (error instanceof DOMException || error instanceof Error ? error.name : "");

/** @param {unknown} error */
function reasonOf(error) {
  const name = nameOf(error);
  if (name === "QuotaExceededError") return say("full");
  return REFUSED.includes(name) ? say("refused") : say("failed");
}
