// @ts-check
// The dialog of a session: which cards, the settings of the book, the progress file, hidden cards.

import { element } from "./dom.js";
import { tagsOf } from "./faces.js";
import { TruncatedLogError } from "./log.js";
import { words } from "./words.js";

const told = words("study");
const ofFile = words("file");

/** @typedef {"tag" | "page" | "part"} Facet */

const FILTERS = /** @type {const} */ ({ tag: "filterTag", page: "filterPage", part: "filterPart" });
const KINDS = /** @type {const} */ ([
  ["all", "kindAll"],
  ["due", "kindDue"],
  ["new", "kindNew"],
  ["leech", "kindLeech"],
]);

/**
 * What a card can be chosen by. The section around it names its page, and the part of the book where that is.
 *
 * @param {HTMLElement} card
 * @returns {Record<Facet, string[]>}
 */
export function facetsOf(card) {
  const around = /** @type {HTMLElement | null} */ (card.closest("[data-page], [data-part]"));
  const { page, part } = around?.dataset ?? {};
  return { tag: tagsOf(card), page: page ? [page] : [], part: part ? [part] : [] };
}

/**
 * The buttons that save the log as a file and merge one into it.
 *
 * @param {HTMLElement} root  Where a link for the download may stand for a moment.
 * @param {import("./desk.js").Desk | Promise<import("./desk.js").Desk>} desk
 * @param {HTMLElement} status  Where it is said what came of it.
 * @returns {HTMLElement}
 */
export function progressFile(root, desk, status) {
  const say = sayer(status);
  const field = element("input", "", "", { type: "file", accept: ".jsonl,.json,.txt,application/x-ndjson" });
  /** The whole lines of a file whose last one is cut off: nothing is taken until the reader says so. */
  const offerWhole = (/** @type {import("./types.js").Entry[]} */ entries) => {
    if (!entries.length) return;
    const take = element("button", "flipcards-button", ofFile("loadWhole", { count: entries.length }), { type: "button" });
    take.addEventListener("click", async () => say(loaded(await (await desk).take(entries))));
    status.append(" ", take);
  };
  field.addEventListener("change", async () => {
    const file = field.files?.[0];
    if (!file) return;
    try {
      say(loaded(await (await desk).load(file)));
    } catch (error) {
      say(ofFile("unchanged", { fault: error instanceof Error ? error.message : String(error) }), true);
      if (error instanceof TruncatedLogError) offerWhole(error.entries);
    }
    field.value = ""; // the same file can be chosen again
  });
  const load = element("label", "flipcards-button flipcards-file", ofFile("load"));
  load.append(field);
  const download = element("button", "flipcards-button", ofFile("download"), { type: "button" });
  download.addEventListener("click", async () => (await desk).download(root));
  const tools = element("div", "flipcards-session-tools");
  tools.append(download, load);
  return tools;
}

/** @param {{added: number, known: number}} file */
const loaded = ({ added, known }) =>
  added ? ofFile("loaded", { count: added, known }) : ofFile("loadedNone", { count: known });

/**
 * @param {HTMLElement} status
 * @returns {(words: string, fault?: boolean) => void}
 */
function sayer(status) {
  return (words, fault = false) => {
    status.textContent = words;
    status.classList.toggle("flipcards-fault", fault);
  };
}

let count = 0; // of fields, for the ids that tie words to them

/**
 * Open the dialog. It is removed when it is closed.
 *
 * @param {HTMLElement} root  The session's element.
 * @param {import("./desk.js").Desk} desk
 * @param {object} given
 * @param {readonly HTMLElement[]} given.cards  The cards of the session, before any choice.
 * @param {import("./session.js").Choice} given.choice
 * @param {(choice: import("./session.js").Choice) => void} given.choose
 * @param {() => void} given.closed  Called when the dialog is gone and nothing was chosen.
 */
export function openOptions(root, desk, { cards, choice, choose, closed }) {
  const dialog = element("dialog", "flipcards-keys flipcards-options", "", { "aria-label": told("options") });
  const form = element("form", "", "", { novalidate: "" });
  const status = element("p", "flipcards-said", "", { role: "status" });
  const say = sayer(status);
  const button = (/** @type {string} */ text, /** @type {() => void} */ action) => {
    const made = element("button", "flipcards-button", text, { type: "button" });
    made.addEventListener("click", action);
    return made;
  };
  const group = (/** @type {string} */ legend, /** @type {(Node | string)[]} */ ...parts) => {
    const made = element("fieldset", "");
    made.append(element("legend", "", legend), ...parts);
    form.append(made);
  };
  /** @type {<Field extends HTMLElement>(words: string, field: Field) => HTMLElement} */
  const labelled = (words, field) => {
    const label = element("label", "flipcards-field");
    label.append(element("span", "", words), field);
    return label;
  };
  const menu = (/** @type {[string, string][]} */ values, /** @type {string} */ chosen) => {
    const select = element("select", "");
    for (const [value, words] of values) select.append(new Option(words, value, false, value === chosen));
    return select;
  };

  // --- Which cards ---

  const kinds = KINDS.map(([value, key]) => /** @type {[string, string]} */ ([value, told(key)]));
  const kind = menu(kinds, choice.kind);
  /** @type {[Facet, HTMLSelectElement][]} */
  const facets = [];
  for (const facet of /** @type {Facet[]} */ (["part", "page", "tag"])) {
    const values = [...new Set(cards.flatMap((card) => facetsOf(card)[facet]))];
    if (values.length < 2) continue;
    const all = /** @type {[string, string]} */ (["", told("any")]);
    facets.push([facet, menu([all, ...values.map((v) => /** @type {[string, string]} */ ([v, v]))], choice.facets[facet] ?? "")]);
  }
  const cram = element("input", "", "", { type: "checkbox" });
  cram.checked = choice.cram;
  const cramLabel = element("label", "flipcards-check");
  cramLabel.append(cram, element("span", "", told("cramOption")));
  const begin = element("button", "flipcards-button flipcards-primary", told("begin"), { type: "submit" });
  group(
    told("which"),
    labelled(told("kind"), kind),
    ...facets.map(([facet, select]) => labelled(told(FILTERS[facet]), select)),
    cramLabel,
    begin,
  );

  // --- Settings ---

  const { new_per_day, desired_retention, learning_steps } = desk.settings();
  /** @type {(() => [HTMLInputElement, string] | null)[]} */
  const takes = [];
  /** @type {(name: string, value: string, mode: string, read: (text: string) => object | string) => HTMLElement} */
  const setting = (name, value, mode, read) => {
    const field = element("input", "", "", { inputmode: mode, autocomplete: "off" });
    field.value = value;
    const fault = element("span", "flipcards-fault", "", { id: `flipcards-fault-${++count}` });
    let taken = value;
    /** @returns {[HTMLInputElement, string] | null}  The field and its fault where it makes no sense. */
    const take = () => {
      const text = field.value.trim();
      const change = text === taken ? {} : read(text);
      const isFault = typeof change === "string";
      fault.textContent = isFault ? change : "";
      if (isFault) {
        field.setAttribute("aria-invalid", "true");
        field.setAttribute("aria-describedby", fault.id);
        return [field, change];
      }
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
      if (text !== taken) desk.change(change);
      taken = text;
      return null;
    };
    takes.push(take);
    field.addEventListener("change", () => {
      const [, why = ""] = take() ?? [];
      say(why, Boolean(why));
    });
    const label = labelled(name, field);
    label.append(fault);
    return label;
  };
  group(
    told("settings"),
    setting(told("newPerDay"), String(new_per_day), "numeric", (text) =>
      /^\d{1,4}$/.test(text) ? { new_per_day: Number(text) } : told("badNew"),
    ),
    setting(told("retention"), String(Math.round(100 * desired_retention)), "numeric", (text) => {
      const percent = Number(text.replace(/\s*%$/, "") || NaN);
      return percent >= 70 && percent <= 99 ? { desired_retention: percent / 100 } : told("badRetention");
    }),
    setting(told("steps"), learning_steps.join(" "), "text", (text) => {
      const steps = text.split(/[\s,;]+/).filter(Boolean).map(Number);
      const fine = steps.every((minutes) => Number.isInteger(minutes) && minutes >= 1 && minutes < 24 * 60);
      return fine ? { learning_steps: steps } : told("badSteps");
    }),
    element("p", "flipcards-help", told("stepsHelp")),
  );

  // --- The progress file ---

  group(ofFile("title"), progressFile(root, desk, status));

  // --- Hidden cards ---

  const hidden = cards.map((card) => card.dataset.card ?? "").filter((card) => desk.state(card).suspended);
  if (hidden.length) {
    const back = button(told("bringBack"), () => {
      for (const card of hidden) desk.unsuspend(card);
      say(told("broughtBack", { count: hidden.length }));
      back.disabled = true;
    });
    group(told("hiddenCards", { count: hidden.length }), back);
  }

  // What was typed is taken; what makes no sense stays in sight once, before it is given up.
  let warned = false;
  const leave = () => {
    const [first] = takes.map((take) => take()).filter((fault) => fault !== null);
    if (!first || warned) return true;
    warned = true;
    const [field, fault] = first;
    say(told("badStays", { fault }), true);
    field.focus();
    return false;
  };
  let chosen = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.querySelector("[aria-invalid]")) return;
    chosen = true;
    dialog.close();
    const values = Object.fromEntries(facets.map(([facet, select]) => [facet, select.value]));
    choose({
      kind: /** @type {import("./study.js").Kind} */ (kind.value),
      cram: cram.checked,
      facets: values,
      extra_new: 0,
    });
  });
  dialog.append(
    form,
    status,
    button(told("close"), () => leave() && dialog.close()),
  );
  dialog.addEventListener("cancel", (event) => {
    if (!leave()) event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (!chosen) closed();
  });
  root.append(dialog);
  dialog.showModal();
}
