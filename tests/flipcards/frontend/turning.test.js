// Frames and the settings they belong to.

import assert from "node:assert/strict";
import { test } from "node:test";

import { frameAt, neighbours, placesOf } from "../../../widgets/flipcards/frontend/turning.js";

const SIZES = [2, 3, 4];

test("the last knob turns fastest", () => {
  assert.equal(frameAt(SIZES, [0, 0, 1]), 1);
  assert.equal(frameAt(SIZES, [0, 1, 0]), 4);
  assert.equal(frameAt(SIZES, [1, 0, 0]), 12);
  assert.equal(frameAt(SIZES, [1, 2, 3]), 23);
});

test("every frame has its own places, and they lead back to it", () => {
  const seen = new Set();
  for (let frame = 0; frame < 24; frame++) {
    const places = placesOf(SIZES, frame);
    assert.equal(frameAt(SIZES, places), frame);
    seen.add(String(places));
  }
  assert.equal(seen.size, 24);
});

test("a slider has two neighbours, one at its end", () => {
  assert.deepEqual(neighbours([5], [2], [true]), [3, 1]);
  assert.deepEqual(neighbours([5], [0], [true]), [1]);
  assert.deepEqual(neighbours([5], [4], [true]), [3]);
});

test("every value of a menu is a neighbour, after those of the sliders", () => {
  assert.deepEqual(neighbours([3, 4], [1, 2], [false, true]), [7, 5, 2, 10]);
});

test("a frame is no neighbour of itself", () => {
  assert.deepEqual(neighbours([2], [1], [false]), [0]);
  assert.deepEqual(neighbours([1], [0], [true]), []);
});
