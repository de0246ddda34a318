// Which cards are shown and in what order.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allTags,
  initialView,
  isShown,
  showAll,
  shuffle,
  sideToShow,
  toggleTag,
} from "../../../widgets/flipcards/frontend/view.js";

const TAGS = [["sft"], ["sft", "risk"], ["lora"], []];

/** A generator of numbers in [0, 1) that repeats itself for each seed (mulberry32). */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const shownCards = (view) => view.order.filter((card) => isShown(view, card));

test("a new view shows every card in the order of the deck", () => {
  assert.deepEqual(shownCards(initialView(TAGS)), [0, 1, 2, 3]);
});

test("a shuffled view holds the same cards and leaves the old view alone", () => {
  const before = initialView(TAGS);
  const after = shuffle(before, seeded(1));
  assert.deepEqual([...after.order].sort(), [0, 1, 2, 3]);
  assert.deepEqual(before.order, [0, 1, 2, 3]);
});

test("the same random numbers give the same order", () => {
  const view = initialView(TAGS);
  assert.deepEqual(shuffle(view, seeded(7)).order, shuffle(view, seeded(7)).order);
});

test("every order of three cards is about equally frequent", () => {
  const rng = seeded(3);
  const view = initialView([[], [], []]);
  const counts = new Map();
  for (let round = 0; round < 6000; round++) {
    const key = shuffle(view, rng).order.join("");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  // 1000 are expected of each, with a standard deviation of 29.
  for (const [key, count] of counts) assert.ok(Math.abs(count - 1000) < 145, `${key}: ${count}`);
});

test("shuffling no card or one card changes nothing", () => {
  assert.deepEqual(shuffle(initialView([]), seeded(1)).order, []);
  assert.deepEqual(shuffle(initialView([["a"]]), seeded(1)).order, [0]);
});

test("chosen tags show the cards that have any of them", () => {
  const one = toggleTag(initialView(TAGS), "sft");
  assert.deepEqual(shownCards(one), [0, 1]);
  assert.deepEqual(shownCards(toggleTag(one, "lora")), [0, 1, 2]);
});

test("choosing a tag again, or all cards, shows the cards without tags too", () => {
  const one = toggleTag(initialView(TAGS), "sft");
  assert.deepEqual(shownCards(toggleTag(one, "sft")), [0, 1, 2, 3]);
  assert.deepEqual(shownCards(showAll(one)), [0, 1, 2, 3]);
});

test("a tag that no card has shows no card", () => {
  assert.deepEqual(shownCards(toggleTag(initialView(TAGS), "rlhf")), []);
});

test("a shuffle keeps the chosen tags, a choice keeps the order", () => {
  const shuffled = shuffle(toggleTag(initialView(TAGS), "sft"), seeded(2));
  assert.deepEqual([...shownCards(shuffled)].sort(), [0, 1]);
  assert.deepEqual(toggleTag(shuffled, "lora").order, shuffled.order);
});

test("the tags of a deck come once each, in order of appearance", () => {
  assert.deepEqual(allTags(initialView(TAGS)), ["sft", "risk", "lora"]);
});

test("all cards turn to the answers unless every one shows its answer", () => {
  assert.equal(sideToShow([true, false, true]), true);
  assert.equal(sideToShow([false, false]), true);
  assert.equal(sideToShow([true, true]), false);
});
