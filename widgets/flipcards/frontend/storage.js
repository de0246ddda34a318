// @ts-check
// Where a page keeps its log: IndexedDB, shared by the tabs of a browser; memory where there is none.
//
// The database is append-only as well: each write is a block, a JSON array of entries, and a log is the union of its
// blocks. So no write waits for another tab's, and a long log is read in a tenth of the time that a record an entry
// would take. Small blocks are gathered into larger ones.
//
// What was accepted stays in memory until it is on disk, and is written again after every failure. So a full disk,
// a deleted database or a browser that keeps nothing costs the durability of an entry, never the entry.

import { openDB } from "idb";
import { merge, newId, union, winner } from "./log.js";
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
/** As many blocks of fewer than `LARGE` entries are made one. */
const MANY = 200;
const LARGE = 1000;
/** A browser that has not opened the database by then is not waited for; it may still come. */
const PATIENCE_MS = 4000;
const RETRY_MS = 10_000;
/** What a transaction fails with when its connection has ended. */
const CLOSED = ["InvalidStateError", "AbortError"];
/** What opening fails with where the browser keeps nothing. */
const REFUSED = ["InvalidStateError", "NotSupportedError", "SecurityError"];

/**
 * Open the log of a book. Never rejects: where the browser keeps nothing, the log is in memory and says so.
 *
 * @param {string} book  Its id: sites under one origin share a storage.
 * @param {{memory?: boolean}} [options]  `memory`: keep nothing, as if the browser had no storage.
 * @returns {Promise<Log & {clear: () => Promise<void>, close: () => void}>}
 */
export async function openLog(book, { memory = false } = {}) {
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
      const stored = await blocksAfter(opened, 0);
      if (ending.signal.aborted) throw new DOMException("the log was closed", "AbortError");
      const kept = stored.flatMap(({ entries }) => entries);
      const here = [...byId.keys()];
      take(kept);
      const missing = lacking(kept, here.map((id) => /** @type {Entry} */ (byId.get(id))));
      lastKey = stored.at(-1)?.key ?? 0;
      database = opened;
      await write(opened, missing);
      gather(opened, stored).catch(() => {}); // the next page tries again
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
      const key = await addBlock(to, entries);
      if (key === lastKey + 1) lastKey = key;
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
      return open.length ? save(open) : Promise.resolve();
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
    async clear() {
      await connecting?.catch(() => {});
      if (database) await database.clear(BLOCKS);
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
 * The blocks that were written after a key, in order.
 *
 * @param {IDBPDatabase} database
 * @param {number} after
 * @returns {Promise<Block[]>}
 */
async function blocksAfter(database, after) {
  const { store } = database.transaction(BLOCKS);
  const range = IDBKeyRange.lowerBound(after, true);
  const [keys, texts] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
  return texts.map((text, at) => ({ key: Number(keys[at]), entries: JSON.parse(text) }));
}

/**
 * Write entries as a block, all or none. Resolves with its key when they are on disk.
 *
 * @param {IDBPDatabase} database
 * @param {readonly Entry[]} entries
 * @param {readonly number[]} [instead]  Keys of the blocks that it takes the place of.
 * @returns {Promise<number>}
 */
async function addBlock(database, entries, instead = []) {
  const transaction = database.transaction(BLOCKS, "readwrite", { durability: "strict" });
  const { store } = transaction;
  const added = store.add(JSON.stringify(entries));
  const changes = [added, ...instead.map((key) => store.delete(key))];
  // `done` has the cause of a failure; the changes would say that they were aborted.
  for (const change of changes) change.catch(() => {});
  // Said aloud, so that it does not wait for a page that is about to go.
  transaction.commit();
  await transaction.done;
  return Number(await added);
}

/**
 * Make one block of many small ones. Two tabs may do so at once: then entries are there twice, and count once.
 *
 * @param {IDBPDatabase} database
 * @param {readonly Block[]} blocks
 */
async function gather(database, blocks) {
  const small = blocks.filter(({ entries }) => entries.length < LARGE);
  if (small.length < MANY) return;
  const keys = small.map(({ key }) => key);
  await addBlock(database, merge(...small.map(({ entries }) => entries)), keys);
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
