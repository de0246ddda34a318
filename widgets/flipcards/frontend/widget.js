// @ts-check
// The live host: an anywidget view whose HTML comes from Python, made and sanitised there.

import { enhance } from "./cards.js";
import { bringRest } from "./live-rest.js";
import { openStudy } from "./live-study.js";
import { speak } from "./words.js";

// JupyterLab's own keys pause where this is set; it looks at the focused element before it looks around it.
const SUPPRESS = "data-lm-suppress-shortcuts";

/** @typedef {import("./live-study.js").StudyModel} Model  The part of anywidget's model that the cards use. */

/**
 * Show a deck in a notebook: to turn its cards, or, where the model has a log, to study them as well.
 *
 * @param {{model: Model, el: HTMLElement}} host
 * @returns {Promise<() => void>}  Takes the view away.
 */
async function render({ model, el }) {
  speak(model.get("words"));
  const opened = model.get("study") ? await openStudy(model) : null;
  /** @type {(() => void)[]} */
  let ends = [];
  const end = () => {
    for (const one of ends) one();
    ends = [];
  };
  const show = () => {
    end();
    el.innerHTML = model.get("html");
    for (const section of el.querySelectorAll("section.flipcards")) {
      if (!(section instanceof HTMLElement)) continue;
      if (opened) {
        section.prepend(opened.line);
        ends.push(enhance(section, { study: opened.study }));
      } else {
        ends.push(tellRevealed(model, section));
        ends.push(bringRest(model, section, () => ends.push(enhance(section))));
      }
    }
  };
  const suppress = (/** @type {FocusEvent} */ { target }) => {
    if (target instanceof Element) target.setAttribute(SUPPRESS, "true");
  };
  el.setAttribute(SUPPRESS, "true");
  el.addEventListener("focusin", suppress);
  show();
  model.on("change:html", show);
  return () => {
    model.off("change:html", show);
    el.removeEventListener("focusin", suppress);
    end();
    opened?.end();
  };
}

/**
 * Tell Python which cards show their answers, each the first time.
 *
 * A card that is opened and closed at once has one `toggle` event, in which it is closed: its attribute says more.
 *
 * @param {Model} model
 * @param {HTMLElement} section
 * @returns {() => void}  Ends it.
 */
function tellRevealed(model, section) {
  const told = new Set();
  const observer = new MutationObserver((changes) => {
    for (const { target, oldValue } of changes) {
      const card = target instanceof HTMLDetailsElement && oldValue === null ? target.dataset.card : "";
      if (!card || told.has(card)) continue;
      told.add(card);
      try {
        model.send({ type: "reveal", card });
      } catch (error) {
        console.warn("flipcards:", error); // the kernel is gone
      }
    }
  });
  observer.observe(section, { subtree: true, attributeFilter: ["open"], attributeOldValue: true });
  return () => observer.disconnect();
}

export default { render };
