// Keeps the whole book for reading without a network, a version whole or not at all.
//
// The book's list names each of its files with a digest of the content. Contents are kept by path and digest,
// so that versions share what did not change, and a download that stopped goes on where it was. A version
// counts from when all its files are there. A page is answered from the newest such version, and whatever the
// page loads later from the version that the page is of.
"use strict";

const BOOK = self.registration.scope; // its address; a host may have several books
const LIST = "lightbook-offline.json";
const FILES = `lightbook-1 files ${BOOK}`;
const STATE = `lightbook-1 state ${BOOK}`;
const AT_ONCE = 6; // downloads
const AGAIN_MS = 10 * 60 * 1000; // before a version that could not be kept is tried again
const OPENING_MS = 60 * 1000; // in which a page asked for may not be among the clients yet
// On the author's own machine a page is what was just built. Elsewhere it comes at once, and news next time.
const PATIENCE_MS = 2000; // of the author
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(BOOK).hostname);

/**
 * @typedef {{version: string, start: string, notFound: string | null, bytes: number,
 *   files: Record<string, string>}} List
 */

let gone = false; // the reader or the author wants no copy

// What is remembered ------------------------------------------------------------------------------------------

const address = (path) => new URL(path.split("/").map(encodeURIComponent).join("/"), BOOK).href;
const fileKey = (path, digest) => `${address(path)}?${digest}`;
const versionKey = (version) => `${BOOK}?version=${version}`;
const clientKey = (id) => `${BOOK}?client=${id}`;
const CURRENT = `${BOOK}?current`;
const FAILED = `${BOOK}?failed`;

// Looked up without opening a cache: to open one that was deleted would make it again.
async function recall(key) {
  const found = await caches.match(key, { cacheName: STATE });
  return found?.json();
}

async function remember(key, value) {
  if (!gone) await (await caches.open(STATE)).put(key, Response.json(value));
}

/** @type {Map<string, List | undefined>} */
const lists = new Map();

async function listOf(version) {
  if (!lists.has(version)) lists.set(version, await recall(versionKey(version)));
  return lists.get(version);
}

async function currentList() {
  const version = await recall(CURRENT);
  return version && listOf(version);
}

/** @type {Map<string, string | undefined>} Versions by client: a worker that slept has to look them up. */
const clientVersions = new Map();

async function versionOfClient(id) {
  if (!clientVersions.has(id)) clientVersions.set(id, (await recall(clientKey(id)))?.version);
  return clientVersions.get(id);
}

// Answers -----------------------------------------------------------------------------------------------------

/** The path in the book that an address names; undefined where it names none. */
function pathOf(url) {
  try {
    return decodeURIComponent(new URL(url).pathname.slice(new URL(BOOK).pathname.length));
  } catch {
    return undefined;
  }
}

/** The name in the list for a path as a reader may type it: of a folder, or without its ending. */
function nameOf(path, list) {
  const folder = path === "" || path.endsWith("/");
  const names = folder ? [`${path}index.html`] : [path, `${path}.html`];
  return names.find((name) => name in list.files);
}

async function kept(name, list) {
  return caches.match(fileKey(name, list.files[name]), { cacheName: FILES, ignoreVary: true });
}

/** From the host. The browser's own cache may hold a file of another version, where hosts let it keep them. */
const fromHost = (request) => fetch(request, request.cache === "default" ? { cache: "no-cache" } : {});

/** A page, or undefined for the network to answer. */
async function keptPage(event, path) {
  if (LOOPBACK) await Promise.race([update(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  const list = await currentList();
  if (!list) return undefined;
  const name = nameOf(path, list);
  if (!name) {
    if (path === "" || path === "index.html") return Response.redirect(address(list.start));
    return `${path}/index.html` in list.files ? Response.redirect(`${address(path)}/`) : undefined;
  }
  const id = event.resultingClientId;
  if (id) {
    clientVersions.set(id, list.version);
    event.waitUntil(remember(clientKey(id), { version: list.version, at: Date.now() }));
  }
  return kept(name, list);
}

async function answerPage(event, path) {
  const page = await keptPage(event, path).catch(() => undefined);
  if (page) return page;
  try {
    return await fromHost(event.request);
  } catch (error) {
    const list = await currentList().catch(() => undefined);
    const page = list?.notFound && (await kept(list.notFound, list));
    if (!page) throw error;
    return new Response(page.body, { status: 404, headers: page.headers });
  }
}

async function answerAsset(event, path) {
  const version = await versionOfClient(event.clientId).catch(() => undefined);
  if (!version) {
    // The page came from the network before the book was kept, and so do its files, while there is one.
    return fromHost(event.request).catch(async (error) => {
      const list = await currentList();
      const name = list && nameOf(path, list);
      return (name && (await kept(name, list))) || Promise.reject(error);
    });
  }
  const list = await listOf(version).catch(() => undefined);
  const name = list && nameOf(path, list);
  return (name && (await kept(name, list).catch(() => undefined))) || fromHost(event.request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(BOOK) || request.headers.has("range")) return;
  const path = pathOf(request.url);
  if (path === undefined || path === LIST) return;
  if (request.mode === "navigate") {
    event.respondWith(answerPage(event, path));
    if (!LOOPBACK) event.waitUntil(update());
  } else {
    event.respondWith(answerAsset(event, path));
  }
});

// New versions ------------------------------------------------------------------------------------------------

/** @type {Promise<void> | undefined} */
let updating;

/** Bring the newest version. It never fails: without network or storage the book stays as it is. */
function update() {
  updating ??= bring()
    .catch(() => {})
    .finally(() => {
      updating = undefined;
    });
  return updating;
}

async function bring() {
  if (gone) return;
  const response = await fetch(address(LIST), { cache: "no-cache" });
  if (response.status === 404 || response.status === 410) return forget(); // the author took offline reading out
  if (!response.ok) return;
  /** @type {List} */
  const list = await response.json();
  if (typeof list?.version !== "string" || typeof list.files !== "object") return;
  const failed = await recall(FAILED);
  if (failed?.version === list.version && Date.now() - failed.at < AGAIN_MS) return;
  try {
    await keep(list);
  } catch (error) {
    // No network: next time goes on. Else there is no room, or the host serves other files than the list names.
    if (!(error instanceof TypeError)) {
      await discardOldFiles();
      await remember(FAILED, { version: list.version, at: Date.now() });
    }
    return;
  }
  await Promise.all((await self.clients.matchAll()).map(tell));
}

/** Keep a version: first all its files, then its list, last that it is the one to read. */
async function keep(list) {
  if (gone) return;
  const store = await caches.open(FILES);
  const here = new Set((await store.keys()).map((request) => request.url));
  const missing = Object.entries(list.files).filter(([path, digest]) => !here.has(fileKey(path, digest)));
  const isCurrent = (await recall(CURRENT)) === list.version;
  if (missing.length === 0 && isCurrent) return discardOldFiles(); // of pages that were open last time
  if (!(await hasRoom((list.bytes * missing.length) / Object.keys(list.files).length))) throw new Error("no room");
  /** @type {unknown[]} */
  const faults = [];
  const download = async () => {
    try {
      for (let next = missing.pop(); next && faults.length === 0; next = missing.pop()) await obtain(store, ...next);
    } catch (fault) {
      faults.push(fault);
    }
  };
  // All have ended before anything is discarded: what came later would stay.
  await Promise.all(Array.from({ length: AT_ONCE }, download));
  if (faults.length > 0) throw faults.find((fault) => !(fault instanceof TypeError)) ?? faults[0];
  if (gone) return;
  await remember(versionKey(list.version), list);
  lists.set(list.version, list);
  await remember(CURRENT, list.version);
  await discardOldFiles();
}

/** Whether at least half of the room that is left stays for others: what a page stores, other books. */
async function hasRoom(bytes) {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  return !(2 * bytes > quota - usage); // where a browser does not say, it is tried
}

/** Fetch a file and keep it, when its content is the one the list names: a host may have an older one still. */
async function obtain(store, path, digest) {
  for (const cache of ["default", "reload"]) {
    const response = await fetch(address(path), { cache });
    const body = await response.arrayBuffer();
    if (response.ok && (await digestOf(body)) === digest) {
      const headers = new Headers(response.headers);
      for (const name of ["content-encoding", "content-length", "vary"]) headers.delete(name);
      if (gone) return;
      await store.put(fileKey(path, digest), new Response(body, { headers }));
      return;
    }
  }
  throw new Error(`${path} is not the file that the list names`);
}

async function digestOf(body) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return Array.from(bytes.subarray(0, 10), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Discard the versions that no open page is of, and the files that none of the others has. */
async function discardOldFiles() {
  if (gone) return;
  const state = await caches.open(STATE);
  const open = new Set((await self.clients.matchAll({ includeUncontrolled: true })).map((client) => client.id));
  const versions = new Set([await recall(CURRENT)]);
  const keys = (await state.keys()).map((request) => request.url);
  for (const key of keys.filter((key) => key.startsWith(clientKey("")))) {
    const client = await recall(key);
    const isOpen = open.has(key.slice(clientKey("").length));
    if (isOpen || Date.now() - client.at < OPENING_MS) versions.add(client.version);
    else await state.delete(key);
  }
  const wanted = new Set();
  for (const key of keys.filter((key) => key.startsWith(versionKey("")))) {
    const version = key.slice(versionKey("").length);
    const list = versions.has(version) ? await listOf(version) : undefined;
    if (list) Object.entries(list.files).forEach(([path, digest]) => wanted.add(fileKey(path, digest)));
    else await state.delete(key);
  }
  const store = await caches.open(FILES);
  for (const { url } of await store.keys()) if (!wanted.has(url)) await store.delete(url);
}

/** Forget the book, as if it had never been kept. Pages that are open go on with the network. */
async function forget() {
  gone = true;
  await self.registration.unregister();
  await Promise.all([FILES, STATE].map((name) => caches.delete(name)));
  lists.clear();
  clientVersions.clear();
}

// The pages ---------------------------------------------------------------------------------------------------

/** Tell a page whether the book can be read offline, and whether there is a newer version than the page's. */
async function tell(client) {
  const current = await recall(CURRENT);
  const version = await versionOfClient(client.id);
  const isOld = version !== undefined && version !== current;
  client.postMessage({ lightbook: !current ? "none" : isOld ? "new" : "kept" });
}

self.addEventListener("message", (event) => {
  const client = event.source;
  const answer = async () => {
    if (event.data === "forget") {
      await forget();
    } else if (event.data === "keep") {
      gone = false;
      await tell(client);
      await update();
    }
    await tell(client);
  };
  event.waitUntil(answer().catch(() => {}));
});

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));

self.addEventListener("activate", (event) => {
  const outdated = (name) => /^lightbook-/.test(name) && name.endsWith(` ${BOOK}`) && ![FILES, STATE].includes(name);
  const discard = async () => {
    for (const name of await caches.keys()) if (outdated(name)) await caches.delete(name);
  };
  event.waitUntil(Promise.all([self.clients.claim(), discard().catch(() => {})]));
});
