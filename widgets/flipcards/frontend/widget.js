// @ts-check
// The live host: an anywidget view whose HTML comes from Python, made and sanitised there.

import { enhance } from "./cards.js";

// JupyterLab's own keys pause where this is set; it looks at the focused element before it looks around it.
const SUPPRESS = "data-lm-suppress-shortcuts";

/**
 * The part of anywidget's model that the cards use.
 *
 * @typedef {object} Model
 * @property {(name: "html") => string} get
 * @property {(content: {type: "reveal", card: string}) => void} send
 * @property {(event: string, callback: () => void) => void} on
 * @property {(event: string, callback: () => void) => void} off
 */

/**
 * Show a deck in a notebook.
 *
 * @param {{model: Model, el: HTMLElement}} host
 * @returns {() => void}  Takes the view away.
 */
function render({ model, el }) {
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
      ends.push(enhance(section, { revealed: (card) => model.send({ type: "reveal", card }) }));
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
  };
}

export default { render };
