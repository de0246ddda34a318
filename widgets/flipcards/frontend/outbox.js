// @ts-check
// What a notebook's page has to hand to Python: kept in IndexedDB until Python has it, so that it outlasts both.

import { openDB } from "idb";
import { newId } from "./log.js";

/** @import { Entry } from "./types.js" */

const DATABASE = "flipcards:outbox";
const ENTRIES = "entries";
const META = "meta";
/** A browser that has not opened the database by then is not waited for. */
const PATIENCE_MS = 3000;

/**
 * Entries that wait for Python.
 *
 * @typedef {object} Outbox
 * @property {string} device  A UUID of this browser profile.
 * @property {readonly Entry[]} entries  What waited when it was opened.
 * @property {boolean} persistent  Whether what is put in outlasts the page.
 * @property {(entries: readonly Entry[]) => Promise<void>} put  Resolves when they are on disk; rejects when not.
 * @property {(ids: readonly string[]) => Promise<void>} remove
 * @property {() => void} close
 */

/**
 * @typedef {object} Store
 * @property {(entry: Entry, key: string[]) => Promise<unknown>} put
 * @property {(key: string[]) => Promise<unknown>} delete
 */

/**
 * Open the outbox of a log. Never rejects: where the browser keeps nothing, it is empty and not persistent.
 *
 * @param {string} log  Names the log: every page that studies with it has the same outbox.
 * @returns {Promise<Outbox>}
 */
export async function openOutbox(log) {
  /** @type {Promise<import("idb").IDBPDatabase> | null} */
  let opening = null;
  let persistent = false;
  const forget = () => {
    opening = null;
  };
  const open = () => {
    if (!globalThis.indexedDB) return Promise.reject(new DOMException("no IndexedDB", "NotSupportedError"));
    opening ??= openDB(DATABASE, 1, {
      upgrade(database) {
        database.createObjectStore(ENTRIES);
        database.createObjectStore(META);
      },
      blocking(_current, _blocked, event) {
        /** @type {IDBDatabase} */ (event.target).close();
        forget();
      },
      terminated: forget,
    });
    return opening.catch((error) => {
      forget();
      throw error;
    });
  };

  /**
   * Change the entries on disk, all or none. A connection that has ended is opened again, once.
   *
   * @param {(store: Store) => Promise<unknown>[]} change
   */
  const write = async (change, again = true) => {
    try {
      const transaction = (await open()).transaction(ENTRIES, "readwrite", { durability: "strict" });
      // `done` has the cause; each request would fail with an AbortError.
      for (const request of change(transaction.store)) request.catch(() => {});
      transaction.commit();
      await transaction.done;
      persistent = true;
    } catch (error) {
      forget();
      if (again && error instanceof DOMException && error.name === "InvalidStateError") return write(change, false);
      persistent = false;
      throw error;
    }
  };

  let device = newId();
  /** @type {Entry[]} */
  let entries = [];
  const begin = async () => {
    const database = await open();
    const transaction = database.transaction(META, "readwrite");
    const known = await transaction.store.get("device");
    if (!known) await transaction.store.put(device, "device");
    await transaction.done;
    device = known ?? device;
    // An array sorts after every text.
    entries = await database.getAll(ENTRIES, IDBKeyRange.bound([log], [log, []]));
    persistent = true;
  };
  await Promise.race([begin().catch(() => {}), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);

  return {
    device,
    entries,
    get persistent() {
      return persistent;
    },
    put: (some) => write((store) => some.map((entry) => store.put(entry, [log, entry.id]))),
    remove: (ids) => write((store) => ids.map((id) => store.delete([log, id]))),
    close() {
      opening?.then((database) => database.close()).catch(() => {});
    },
  };
}
