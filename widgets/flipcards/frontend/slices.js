// @ts-check
// Long work in short tasks: between them the page is drawn and the reader is heard.

const SLICE_MS = 8; // half a frame

/** @returns {Promise<void>} */
const breath = () => {
  const { scheduler } = /** @type {{scheduler?: {yield?: () => Promise<void>}}} */ (globalThis);
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
};

/**
 * Resolves when the page has drawn what it has, and nothing else is to be done.
 *
 * @returns {Promise<void>}
 */
export const rest = () =>
  new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(() => resolve());
    else setTimeout(resolve, 50);
  });

/**
 * Do something with each item, in order.
 *
 * @template Item
 * @param {Iterable<Item>} items
 * @param {(item: Item) => void} work
 */
export async function inSlices(items, work) {
  let until = performance.now() + SLICE_MS;
  for (const item of items) {
    work(item);
    if (performance.now() < until) continue;
    await breath();
    until = performance.now() + SLICE_MS;
  }
}
