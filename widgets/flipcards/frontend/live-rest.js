// @ts-check
// Brings the cards of a large deck that a view does not have yet from Python, a few hundred at a time.

import { greet } from "./greet.js";

/** @typedef {import("./live-study.js").StudyModel} Model */

/** So long after Python was asked for cards, those that are there are all there will be. */
const PATIENCE_MS = 20_000;

/**
 * Bring the cards that a section lacks. Its first cards turn meanwhile.
 *
 * @param {Model} model
 * @param {HTMLElement} section  As the model's `html` has it, in its view.
 * @param {() => void} done  Called when all cards are there, or no more come.
 * @returns {() => void}  Ends it.
 */
export function bringRest(model, section, done) {
  let have = section.querySelectorAll("details.flipcard").length;
  const total = model.get("count") ?? have;
  let patience = 0;
  const end = () => {
    clearTimeout(patience);
    model.off("msg:custom", hear);
  };
  const finish = () => {
    end();
    done();
  };
  const ask = () => {
    patience = setTimeout(finish, PATIENCE_MS);
    model.send({ type: "more", from: have });
  };
  const hear = (/** @type {any} */ message) => {
    if (message?.type !== "more" || message.from !== have) return; // another view asked
    clearTimeout(patience);
    have = message.to;
    if (have < total) ask(); // Python writes while the browser reads
    if (message.style) {
      section.parentElement?.querySelector(":scope > style")?.remove();
      section.insertAdjacentHTML("beforebegin", message.style);
    }
    section.insertAdjacentHTML("beforeend", message.html);
    if (have >= total) finish();
  };
  if (have >= total) {
    done();
    return end;
  }
  greet(section);
  model.on("msg:custom", hear);
  ask();
  return end;
}
