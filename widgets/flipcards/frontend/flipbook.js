// @ts-check
// Turns the flipbooks of a built page: a control for each knob, and the picture and numbers of its setting.

import { element } from "./dom.js";
import { frameAt, neighbours, placesOf } from "./turning.js";
import { words } from "./words.js";

/**
 * What the page holds of a flipbook, as Python writes it.
 *
 * @typedef {object} Book
 * @property {{name: string, label: string, values: string[], ordered: boolean}[]} knobs
 * @property {{source: string, width_px: number, height_px: number}[]} pictures
 * @property {{picture: number, setting: string, alt: string, numbers: [name: string, number: string][]}[]} frames
 *   One for each setting, the last knob turning fastest. `setting` is in words.
 * @property {number} start  The frame that the page shows.
 */

let made = 0;

/**
 * Give a flipbook its controls.
 *
 * @param {HTMLElement} section  `<div class="flipbook">`, as Python writes it.
 */
function enhance(section) {
  const data = section.querySelector(':scope > script[type="application/json"]');
  const still = section.querySelector(":scope > .flipbook-still");
  if (!data || !(still instanceof HTMLImageElement)) return;
  const book = /** @type {Book} */ (JSON.parse(data.textContent ?? ""));
  const sizes = book.knobs.map((knob) => knob.values.length);
  const ordered = book.knobs.map((knob) => knob.ordered);
  let places = placesOf(sizes, book.start);

  // The still stays as it is for paper; this one turns.
  const picture = /** @type {HTMLImageElement} */ (still.cloneNode());
  picture.className = "flipbook-picture";
  picture.loading = "eager";
  const reading = element("p", "flipbook-reading", "", { role: "status" });
  const knobs = element("div", "flipbook-knobs", "", { role: "group", "aria-label": words("flipbook")("knobs") });

  // --- Pictures, each loaded once ---

  /** @type {Map<number, Promise<HTMLImageElement>>} */
  const loaded = new Map();
  const load = (/** @type {number} */ frame) => {
    const number = book.frames[frame]?.picture ?? 0;
    let loading = loaded.get(number);
    if (!loading) {
      const image = new Image();
      image.src = book.pictures[number]?.source ?? "";
      // A picture that cannot be decoded is still shown, as the browser shows such pictures.
      loading = image.decode().then(
        () => image,
        () => image,
      );
      loaded.set(number, loading);
    }
    return loading;
  };
  const loadNeighbours = () => {
    for (const frame of neighbours(sizes, places, ordered)) load(frame);
  };

  // --- Turning ---

  const read = (/** @type {number} */ at) => {
    const frame = book.frames[at];
    if (!frame) return;
    // Named for those who hear it; those who see it have the setting in the controls.
    const setting = element("span", "flipbook-setting", `${frame.setting}: `);
    const numbers = frame.numbers.map(([name, number]) => {
      const one = element("span", "flipbook-number", `${name}: `);
      one.append(element("strong", "", number));
      return one;
    });
    reading.replaceChildren(setting, ...numbers);
  };
  const show = async () => {
    const at = frameAt(sizes, places);
    const image = await load(at);
    if (at !== frameAt(sizes, places)) return; // turned on meanwhile
    const frame = book.frames[at];
    const size = book.pictures[frame?.picture ?? 0];
    picture.src = image.src;
    picture.width = size?.width_px ?? picture.width;
    picture.height = size?.height_px ?? picture.height;
    picture.alt = frame?.alt ?? "";
    section.dataset.frame = String(at);
    read(at);
    loadNeighbours();
  };

  book.knobs.forEach((knob, number) => {
    const id = `flipbook-${++made}`;
    const row = element("div", "flipbook-knob");
    row.append(element("label", "flipbook-label", knob.label, { for: id }));
    const turn = (/** @type {number} */ place) => {
      places = places.with(number, place);
      show();
    };
    if (knob.ordered) {
      const slider = element("input", "flipbook-slider", "", {
        id,
        type: "range",
        min: "0",
        max: String(knob.values.length - 1),
        step: "1",
        autocomplete: "off",
      });
      const value = element("span", "flipbook-value", "", { "aria-hidden": "true" });
      const say = () => {
        value.textContent = knob.values[slider.valueAsNumber] ?? "";
        slider.setAttribute("aria-valuetext", value.textContent);
      };
      slider.valueAsNumber = places[number] ?? 0;
      slider.addEventListener("input", () => {
        say();
        turn(slider.valueAsNumber);
      });
      say();
      row.append(slider, value);
    } else {
      const menu = element("select", "flipbook-menu", "", { id, autocomplete: "off" });
      menu.append(...knob.values.map((value) => element("option", "", value)));
      menu.selectedIndex = places[number] ?? 0;
      menu.addEventListener("change", () => turn(menu.selectedIndex));
      row.append(menu);
    }
    knobs.append(row);
  });

  // Nothing more is loaded until a reader comes near the controls.
  knobs.addEventListener("pointerenter", loadNeighbours, { once: true });
  knobs.addEventListener("focusin", loadNeighbours, { once: true });

  const numbers = section.querySelector(":scope > .flipbook-numbers");
  if (numbers instanceof HTMLDetailsElement) numbers.open = false;
  still.after(picture, knobs, reading);
  read(book.start);
  section.dataset.frame = String(book.start);
  section.classList.add("flipbook-turning");
}

for (const section of document.querySelectorAll("div.flipbook")) {
  if (section instanceof HTMLElement) enhance(section);
}
