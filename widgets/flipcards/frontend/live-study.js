// @ts-check
// Study in a notebook: the session of the pages, its log in Python, and a line that says how the link to it is.

import { createDesk } from "./desk.js";
import { element } from "./dom.js";
import { linkLog } from "./live-log.js";
import { openOutbox } from "./outbox.js";
import { openSession } from "./session.js";
import { words } from "./words.js";

const say = words("live");

/** @typedef {import("./live-log.js").Link} Link */

/**
 * What a session's model has for its view.
 *
 * @typedef {object} StudyModel
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(content: Record<string, unknown>) => void} send
 * @property {(event: string, callback: (content: unknown) => void) => void} on
 * @property {(event: string, callback: (content: unknown) => void) => void} off
 * @property {{kernel?: Kernel | null}} [widget_manager]  Of a host that is JupyterLab's kin.
 */

/**
 * @typedef {object} Kernel
 * @property {Signal} [statusChanged]
 * @property {Signal} [connectionStatusChanged]
 *
 * @typedef {object} Signal
 * @property {(slot: (sender: unknown, value: string) => void) => unknown} connect
 * @property {(slot: (sender: unknown, value: string) => void) => unknown} disconnect
 */

const ENDED = ["restarting", "autorestarting", "terminating", "dead"];

/**
 * Make the cards of a section ready to be studied with Python's log.
 *
 * @param {StudyModel} model
 * @returns {Promise<{
 *   study: NonNullable<import("./cards.js").Store["study"]>,
 *   line: HTMLElement,
 *   end: () => void,
 * }>}  What begins a session, the line that tells how the link is, and what ends it all.
 */
export async function openStudy(model) {
  const { key, name } = model.get("study");
  const outbox = await openOutbox(key);
  const link = linkLog({ send: (message) => model.send(message), outbox });
  const shelf = {
    load: () => model.get("settings"),
    save(/** @type {object} */ settings) {
      model.set("settings", settings);
      model.save_changes();
    },
  };
  const desk = createDesk({ log: link.log, shelf });
  const stop = follow(model, link);
  const line = lineOf(link, desk, name);
  link.hello();
  return {
    async study(section, cards, onEnd) {
      await link.ready; // else what was learned long ago would be new
      return openSession(section, desk, { cards, onEnd }).end;
    },
    line,
    end() {
      stop();
      link.end();
      outbox.close();
    },
  };
}

/**
 * Keep a link true to what the model and its kernel say.
 *
 * @param {StudyModel} model
 * @param {Link} link
 * @returns {() => void}  Ends it.
 */
function follow(model, link) {
  const ending = new AbortController();
  const { signal } = ending;
  const hear = (/** @type {unknown} */ message) => link.receive(message);
  model.on("msg:custom", hear);
  signal.addEventListener("abort", () => model.off("msg:custom", hear));

  // Another tab or notebook may have added to the log while this one was out of sight.
  const look = () => {
    if (document.visibilityState === "visible" && link.state() === "live") link.hello();
  };
  addEventListener("focus", look, { signal });
  document.addEventListener("visibilitychange", look, { signal });

  const kernel = model.widget_manager?.kernel;
  const listen = (/** @type {Signal | undefined} */ to, /** @type {(value: string) => void} */ action) => {
    const slot = (/** @type {unknown} */ _, /** @type {string} */ value) => action(value);
    to?.connect(slot);
    signal.addEventListener("abort", () => to?.disconnect(slot));
  };
  listen(kernel?.statusChanged, (status) => {
    if (ENDED.includes(status)) link.lose();
  });
  listen(kernel?.connectionStatusChanged, (status) => {
    // The same kernel after the network was away. What has stopped does not come back: its successor has no widgets.
    if (status === "connected" && link.state() !== "gone") link.resume();
  });
  return () => ending.abort();
}

/**
 * The line under the bar of the cards.
 *
 * @param {Link} link
 * @param {import("./desk.js").Desk} desk
 * @param {string} name  Of the log's file; "" where it has none.
 * @returns {HTMLElement}
 */
function lineOf(link, desk, name) {
  const line = element("div", "flipcards-session-head flipcards-line");
  const said = element("span", "flipcards-sum", "", { role: "status" });
  const download = element("button", "flipcards-button", words("file")("download"), { type: "button" });
  download.addEventListener("click", () => desk.download(line));
  line.append(said, download);
  const show = () => {
    const state = link.state();
    const { known, saved, waiting } = link.counts();
    const bad = state === "silent" || state === "gone" || state === "refused";
    line.dataset.link = state;
    line.dataset.saved = String(saved);
    line.dataset.waiting = String(waiting);
    line.classList.toggle("flipcards-notice", bad);
    download.hidden = !bad;
    const text = told(state, { known, waiting, name, why: link.why() });
    if (said.textContent !== text) said.textContent = text;
  };
  link.onChange(show);
  show();
  return line;
}

/**
 * How the link is, in words.
 *
 * @param {import("./live-log.js").LinkState} state
 * @param {{known: number, waiting: number, name: string, why: string}} given
 *   How many entries Python has, how many it lacks; the log's file, "" where it has none; why Python refused.
 */
function told(state, { known, waiting, name, why }) {
  const waits = waiting ? [say("waits", { count: waiting })] : [];
  if (state === "connecting") return say("connecting");
  if (state === "silent") return [say("silent"), ...waits].join(" ");
  if (state === "gone") return [say("gone"), ...waits, say("goOn")].join(" ");
  if (state === "refused") return [say("refused", { why }), ...waits].join(" ");
  if (waiting) return say("saving", { count: waiting, name: name || "Python" });
  return name ? say("saved", { count: known, name }) : say("savedInKernel", { count: known });
}
