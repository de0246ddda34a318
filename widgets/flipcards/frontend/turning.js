// @ts-check
// Which frame belongs to which setting: pure functions, without the DOM.

/**
 * The number of the frame at these places of the knobs. The last knob turns fastest.
 *
 * @param {readonly number[]} sizes  How many values each knob has.
 * @param {readonly number[]} places  Which of them each is at, from 0.
 * @returns {number}
 */
export function frameAt(sizes, places) {
  return sizes.reduce((frame, size, knob) => frame * size + (places[knob] ?? 0), 0);
}

/**
 * The places of the knobs at a frame: the inverse of `frameAt`.
 *
 * @param {readonly number[]} sizes
 * @param {number} frame
 * @returns {number[]}
 */
export function placesOf(sizes, frame) {
  /** @type {number[]} */
  const places = [];
  for (const size of [...sizes].reverse()) {
    places.unshift(frame % size);
    frame = Math.floor(frame / size);
  }
  return places;
}

/**
 * The frames that one step of one knob leads to, those of sliders first: what is worth loading ahead.
 *
 * @param {readonly number[]} sizes
 * @param {readonly number[]} places
 * @param {readonly boolean[]} ordered  Whether each knob is a slider. From a menu, any value is one step away.
 * @returns {number[]}
 */
export function neighbours(sizes, places, ordered) {
  /** @type {(knob: number, place: number) => number} */
  const moved = (knob, place) => frameAt(sizes, places.with(knob, place));
  const near = sizes.flatMap((size, knob) => {
    const at = places[knob] ?? 0;
    return ordered[knob] ? [at + 1, at - 1].filter((n) => n >= 0 && n < size).map((n) => moved(knob, n)) : [];
  });
  const far = sizes.flatMap((size, knob) =>
    ordered[knob] ? [] : Array.from({ length: size }, (_, n) => moved(knob, n)),
  );
  return [...new Set([...near, ...far])].filter((frame) => frame !== frameAt(sizes, places));
}
