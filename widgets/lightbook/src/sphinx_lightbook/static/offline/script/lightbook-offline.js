// Lets the browser keep the book for reading offline, and says so at the foot of the page.
(() => {
  "use strict";
  const root = new URL(document.documentElement.dataset.content_root || "./", document.baseURI);
  // Files opened from a disk need no copy. Browsers refuse one to a page that came unprotected.
  if (!/^https?:$/.test(location.protocol) || !isSecureContext || !navigator.serviceWorker) return;

  const manifest = document.createElement("link");
  manifest.rel = "manifest";
  manifest.href = new URL("manifest.webmanifest", root).href;
  document.head.append(manifest); // in the page's HTML it would be an error on a page opened from a disk

  const UNWANTED = `lightbook offline unwanted ${root.href}`;
  const storage = {
    get unwanted() {
      try {
        return localStorage.getItem(UNWANTED) !== null;
      } catch {
        return false;
      }
    },
    set unwanted(value) {
      try {
        if (value) localStorage.setItem(UNWANTED, "");
        else localStorage.removeItem(UNWANTED);
      } catch {
        /* storage is blocked: it holds for this page */
      }
    },
  };

  // The note ----------------------------------------------------------------------------------------------------

  const note = document.querySelector(".lightbook-offline") ?? document.createElement("div");
  if (!note.isConnected) {
    note.className = "lightbook-offline";
    note.setAttribute("role", "status");
    (document.querySelector("footer") ?? document.body).append(note);
  }

  /** @type {Record<string, string>} In the book's language. The build puts them here. */
  const WORDS = /* words */ {};

  const NOTES = {
    none: () => [],
    kept: () => [WORDS.kept, button(WORDS.remove, forget)],
    new: () => [WORDS.new, button(WORDS.show, () => location.reload())],
    unwanted: () => [WORDS.unwanted, button(WORDS.keep, keep)],
  };

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  function say(what) {
    if (note.dataset.state === what) return;
    const focused = note.contains(document.activeElement);
    note.dataset.state = what;
    note.replaceChildren(...NOTES[what]().flatMap((part) => [part, " "]));
    if (focused) note.querySelector("button")?.focus();
  }

  // The copy ----------------------------------------------------------------------------------------------------

  const workers = navigator.serviceWorker;
  const worker = new URL("lightbook-worker.js", root).href;

  async function keep() {
    storage.unwanted = false;
    say("none");
    await workers.register(worker, { scope: root.pathname, updateViaCache: "none" });
    (await workers.ready).active.postMessage("keep");
  }

  async function forget() {
    storage.unwanted = true;
    say("unwanted");
    (await workers.getRegistration(root))?.active?.postMessage("forget");
  }

  // The worker of a book above this one speaks of its own copy.
  workers.addEventListener("message", ({ data, source }) => {
    if (data?.lightbook && source?.scriptURL === worker && !storage.unwanted) say(data.lightbook);
  });

  async function start() {
    if (storage.unwanted) return say("unwanted");
    // Who asks for little data gets no copy unasked.
    if (navigator.connection?.saveData && !workers.controller) return say("unwanted");
    return keep().catch(() => {}); // the page is there without a copy
  }

  // After the first visit's own files, which a copy would compete with.
  const soon = () => (window.requestIdleCallback ?? setTimeout)(start);
  if (document.readyState === "complete") soon();
  else addEventListener("load", soon);
})();
