// The order of a session of study, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as study from "../../../widgets/flipcards/frontend/study.js";

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 24, 12);
const UNTIL = NOW + 16 * 60 * MINUTE;

/** A deck whose cards can be changed as a log would: card id -> status. */
function deck(cards) {
  const table = new Map(
    Object.entries(cards).map(([card, [state, due_ms, more]]) => [
      card,
      { state, due_ms, hidden: false, leech: false, ...more },
    ]),
  );
  return {
    ids: [...table.keys()],
    status: (card) => table.get(card),
    set: (card, state, due_ms, more) => table.set(card, { ...table.get(card), state, due_ms, ...more }),
  };
}

const wanted = ({ ids, status }, more = {}) =>
  study.plan({ cards: ids, status, now_ms: NOW, until_ms: UNTIL, new_limit: 10, ...more });
const start = (cards, more = {}) =>
  study.begin(wanted(cards, more), cards.status, { now_ms: NOW, until_ms: UNTIL, ...more });
const rated = (rating, more = {}) => ({
  kind: "rate",
  rating,
  was_new: false,
  duration_ms: 1000,
  entry: "e",
  ...more,
});

const mixed = () =>
  deck({
    n1: ["new", 0],
    tomorrow: ["review", UNTIL + 1],
    late: ["review", NOW - 3 * DAY],
    n2: ["new", 0],
    learning: ["learning", NOW + MINUTE],
    tonight: ["review", UNTIL - 1],
    gone: ["review", NOW - DAY, { hidden: true }],
    leech: ["review", NOW - DAY, { leech: true }],
    far: ["relearning", NOW + 25 * MINUTE],
  });

test("cards in learning come first, then the longest overdue, then new ones as they stand in the book", () => {
  assert.deepEqual(wanted(mixed()), ["learning", "late", "leech", "tonight", "n1", "n2"]);
});

test("no more new cards are asked than are left for today", () => {
  assert.deepEqual(wanted(mixed(), { new_limit: 1 }).slice(4), ["n1"]);
  assert.deepEqual(wanted(mixed(), { new_limit: -3 }).slice(4), []);
});

test("a kind of cards leaves out the others", () => {
  assert.deepEqual(wanted(mixed(), { kind: "due" }), ["learning", "late", "leech", "tonight"]);
  assert.deepEqual(wanted(mixed(), { kind: "new" }), ["n1", "n2"]);
  assert.deepEqual(wanted(mixed(), { kind: "leech" }), ["leech"]);
});

test("cram asks every card that is not hidden, and what is forgotten once more at the end", () => {
  const cards = mixed();
  assert.deepEqual(
    wanted(cards, { cram: true }),
    cards.ids.filter((card) => card !== "gone"),
  );
  let session = start(deck({ a: ["new", 0], b: ["review", NOW + 90 * DAY] }), { cram: true });
  const { status } = deck({ a: ["new", 0], b: ["review", NOW + 90 * DAY] });
  const asked = [];
  for (const rating of [1, 3, 3]) {
    asked.push(session.card);
    session = study.take(study.reveal(session), rated(rating, { entry: null }), status, NOW);
  }
  assert.deepEqual(asked, ["a", "b", "a"]);
  assert.equal(session.card, null);
});

test("a rating before the answer was shown is none", () => {
  const cards = deck({ a: ["new", 0], b: ["new", 0] });
  const session = start(cards);
  assert.equal(study.take(session, rated(3), cards.status, NOW), session);
  assert.equal(study.take(study.reveal(session), rated(3), cards.status, NOW).card, "b");
});

test("a card in learning comes back when its time has come, before the rest of the queue", () => {
  const cards = deck({ a: ["new", 0], b: ["new", 0], c: ["new", 0] });
  let session = study.reveal(start(cards));
  cards.set("a", "learning", NOW + MINUTE);
  session = study.take(session, rated(1), cards.status, NOW);
  assert.equal(session.card, "b");
  cards.set("b", "learning", NOW + 11 * MINUTE);
  session = study.take(study.reveal(session), rated(3), cards.status, NOW + MINUTE);
  assert.equal(session.card, "a");
});

test("a card due soon is asked early when nothing else is left, a later one is not waited for", () => {
  const cards = deck({ a: ["new", 0] });
  let session = study.reveal(start(cards));
  cards.set("a", "learning", NOW + 10 * MINUTE);
  session = study.take(session, rated(3), cards.status, NOW);
  assert.equal(session.card, "a");
  cards.set("a", "learning", NOW + 3 * 60 * MINUTE);
  session = study.take(study.reveal(session), rated(3), cards.status, NOW);
  assert.equal(session.card, null);
});

test("a card that another tab has settled is passed over", () => {
  const cards = deck({ a: ["review", NOW], b: ["review", NOW], c: ["review", NOW] });
  const session = start(cards);
  cards.set("b", "review", NOW + 9 * DAY);
  assert.equal(study.take(study.reveal(session), rated(3), cards.status, NOW).card, "c");
  cards.set("a", "review", NOW + 9 * DAY);
  assert.equal(study.refresh(session, cards.status, NOW).card, "c");
  assert.deepEqual(study.progress(study.refresh(session, cards.status, NOW), cards.status, NOW), { done: 0, left: 1, again: 0 });
  assert.equal(study.refresh(study.reveal(session), cards.status, NOW).card, "a", "not while its answer is read");
});

test("a card rated elsewhere into learning is not asked at once, but when it is due", () => {
  const cards = deck({ a: ["new", 0], b: ["new", 0] });
  const session = start(cards);
  cards.set("a", "learning", NOW + MINUTE);
  const after = study.refresh(session, cards.status, NOW, true);
  assert.deepEqual([after.card, after.waiting], ["b", ["a"]]);
  assert.equal(study.refresh(study.reveal(session), cards.status, NOW, true).card, "a", "not while its answer is read");
  cards.set("b", "review", NOW + 9 * DAY);
  assert.equal(study.take(study.reveal(after), rated(4), cards.status, NOW + MINUTE).card, "a");
});

test("undo brings the same card back with its answer, step by step to the first", () => {
  const cards = deck({ a: ["review", NOW], b: ["review", NOW], c: ["review", NOW] });
  const first = study.reveal(start(cards));
  cards.set("a", "review", NOW + 9 * DAY);
  let session = study.take(first, rated(3), cards.status, NOW);
  session = study.take(session, { ...rated(0), kind: "bury" }, cards.status, NOW);
  assert.equal(session.card, "c");
  session = study.undo(session, NOW + MINUTE);
  assert.deepEqual([session.card, session.revealed, session.shown_ms], ["b", false, NOW + MINUTE]);
  session = study.undo(session, NOW);
  assert.deepEqual([session.card, session.revealed, study.lastStep(session)], ["a", true, null]);
  assert.equal(study.undo(session, NOW), session);
});

test("a session grows by its steps and keeps a hundred of them to undo", () => {
  const ids = Array.from({ length: 300 }, (_, n) => [`c${n}`, ["new", 0]]);
  const cards = deck(Object.fromEntries(ids));
  let session = start(cards, { new_limit: 300 });
  for (let n = 0; n < 300; n++) {
    cards.set(`c${n}`, "review", NOW + 9 * DAY);
    session = study.take(study.reveal(session), rated(4), cards.status, NOW);
  }
  assert.equal(session.card, null);
  assert.equal(session.before.length, 100);
  assert.equal(session.before.at(-1).before.length, 0, "no history within the history");
});

test("done and left add up, also while cards wait", () => {
  const cards = deck({ a: ["new", 0], b: ["new", 0], c: ["review", NOW] });
  let session = start(cards);
  const at = () => study.progress(session, cards.status, NOW);
  assert.deepEqual(at(), { done: 0, left: 3, again: 0 });
  cards.set("c", "review", NOW + 9 * DAY);
  session = study.take(study.reveal(session), rated(3), cards.status, NOW);
  assert.deepEqual(at(), { done: 1, left: 2, again: 0 });
  cards.set("a", "learning", NOW + 10 * MINUTE);
  session = study.take(study.reveal(session), rated(3), cards.status, NOW);
  assert.deepEqual(at(), { done: 1, left: 2, again: 1 });
  cards.set("b", "review", NOW + 9 * DAY);
  session = study.take(study.reveal(session), rated(4), cards.status, NOW);
  assert.deepEqual([session.card, at()], ["a", { done: 2, left: 1, again: 1 }], "asked again, not for the first time");
  cards.set("a", "review", NOW + 9 * DAY);
  session = study.take(study.reveal(session), rated(3), cards.status, NOW);
  assert.deepEqual(at(), { done: 3, left: 0, again: 0 });
});

test("the summary tells what was learned from what was recalled", () => {
  const cards = deck({ a: ["review", NOW], b: ["new", 0] });
  let session = study.reveal(start(cards));
  cards.set("a", "relearning", NOW + 10 * MINUTE);
  session = study.take(session, rated(1), cards.status, NOW);
  cards.set("b", "learning", NOW + 10 * MINUTE);
  session = study.take(study.reveal(session), rated(3, { was_new: true }), cards.status, NOW);
  cards.set("a", "review", NOW + DAY);
  session = study.take(study.reveal(session), rated(3), cards.status, NOW + 10 * MINUTE);
  assert.deepEqual(study.summarise(session), {
    reviews: 3,
    cards: 2,
    learned: 1,
    recalled: 1,
    asked: 2,
    time_ms: 3000,
  });
});
