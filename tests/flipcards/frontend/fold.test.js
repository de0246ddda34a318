// Where cards stand: the fold over the log.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, dateOf, dayOf, dayStart, nextDayStart } from "../../../widgets/flipcards/frontend/days.js";
import { createFold, decidedOf, dueMs, isDue, isHidden, resumeFold } from "../../../widgets/flipcards/frontend/fold.js";
import {
  compare,
  makeBury,
  makeReview,
  makeSuspend,
  makeUndo,
  makeUnsuspend,
  merge,
} from "../../../widgets/flipcards/frontend/log.js";
import { intervalLabel } from "../../../widgets/flipcards/frontend/schedule.js";
import { fc, fsrs } from "./packages.js";

const { createEmptyCard, FSRS, State, StrategyMode } = fsrs;

const DEVICE = "00000000-0000-4000-8000-0000000000de";
const NOON = Date.UTC(2026, 10, 24, 12);
const MINUTE = 60_000;

const uuid = (n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
let made = 0;
const review = (rating, at_ms, more = {}) =>
  makeReview({ card: "a", device: DEVICE, offset_minutes: 0, duration_ms: 1000, id: uuid(++made), rating, at_ms, ...more });
const mark = (make, at_ms, more = {}) =>
  make({ card: "a", device: DEVICE, offset_minutes: 0, id: uuid(++made), at_ms, ...more });
const foldOf = (entries, settings) => {
  const fold = createFold(settings);
  for (const entry of entries) fold.add(entry);
  return fold;
};
const statesOf = (fold) => fold.states().sort((a, b) => (a.card < b.card ? -1 : 1));

// --- Days ---

test("a day begins at four in the morning, by the offset", () => {
  const four = Date.UTC(2026, 10, 24, 4);
  assert.equal(dayOf(four, 0), dayOf(four - 1, 0) + 1);
  assert.equal(dateOf(dayOf(four - 1, 0)), "2026-11-23");
  assert.equal(dayStart(dayOf(NOON, 0), 0), four);
  assert.equal(nextDayStart(NOON, 330), Date.UTC(2026, 10, 24, 22, 30));
  assert.equal(dayOf(Date.UTC(1969, 11, 31, 12), 0), -1);
});

// --- A card ---

test("a card without reviews is new", () => {
  const fold = foldOf([mark(makeBury, NOON, { card: "b" })]);
  assert.equal(fold.state("a").state, "new");
  assert.equal(fold.state("b").state, "new");
  assert.deepEqual(fold.due(NOON, 0, ["a", "b"]), []);
});

test("good ratings lead through the steps to days", () => {
  const first = foldOf([review(3, NOON)]).state("a");
  assert.deepEqual([first.state, first.step, first.due_ms], ["learning", 1, NOON + 10 * MINUTE]);
  const second = foldOf([review(3, NOON), review(3, NOON + 10 * MINUTE)]).state("a");
  assert.deepEqual([second.state, second.interval_days, second.reps], ["review", 2, 2]);
  assert.equal(second.due_ms, Date.UTC(2026, 10, 26, 4));
});

test("the buttons say when the card would come back", () => {
  const labels = (fold, at) => Object.values(fold.preview("a", at, 0)).map(({ label }) => label);
  assert.deepEqual(labels(createFold(), NOON), ["<1 min", "<6 min", "<10 min", "9 d"], "eight days, and fuzz");
  assert.deepEqual(labels(createFold({ learning_steps: [], fuzz: false }), NOON), ["1 d", "1 d", "2 d", "8 d"]);
  assert.deepEqual([29, 30, 45, 364, 800].map((days) => intervalLabel(0, days)), ["29 d", "1 mo", "1.5 mo", "12 mo", "2.2 y"]);
  assert.equal(intervalLabel(90, 0), "<1.5 h");
});

test("what a button promises is what the fold then says", () => {
  fc.assert(
    fc.property(histories(1), fc.constantFrom(1, 2, 3, 4), fc.integer({ min: -3, max: 60 }), (entries, rating, days) => {
      const fold = foldOf(entries);
      const now = Math.max(NOON, ...entries.map(({ at }) => Date.parse(at))) + days * DAY_MS + 7;
      const { label, ...promised } = fold.preview("a", now, 60)[rating];
      fold.add(review(rating, now, { offset_minutes: 60, id: uuid(0xfffffff) }));
      const { state, due_ms, interval_days, stability, difficulty } = fold.state("a");
      assert.deepEqual({ state, due_ms, interval_days, stability, difficulty }, promised, label);
    }),
  );
});

test("an entry keeps what was decided", () => {
  const choice = createFold().preview("a", NOON, 0)[3];
  assert.deepEqual(decidedOf(choice), {
    state: "learning",
    due: "2026-11-24T12:10:00.000Z",
    interval_days: 0,
    stability: choice.stability,
    difficulty: choice.difficulty,
  });
});

test("undo takes a review back, whichever of the two came first", () => {
  const [first, second] = [review(3, NOON), review(1, NOON + MINUTE)];
  const undo = mark(makeUndo, NOON + 2 * MINUTE, { undoes: second.id });
  const expected = foldOf([first]).state("a");
  assert.deepEqual(foldOf([first, second, undo]).state("a"), expected);
  assert.deepEqual(foldOf([undo, second, first]).state("a"), expected);
  const again = mark(makeUndo, NOON + 3 * MINUTE, { undoes: undo.id });
  assert.deepEqual(foldOf([first, second, undo, again]).state("a"), expected, "an undo is not undone");
});

test("undo after somebody has looked at the card takes the review back", () => {
  const [first, second] = [review(3, NOON), review(1, NOON + MINUTE)];
  const fold = foldOf([first]);
  const before = fold.state("a");
  fold.add(second);
  assert.notDeepEqual(fold.state("a"), before);
  fold.add(mark(makeUndo, NOON + 2 * MINUTE, { undoes: second.id }));
  assert.deepEqual(fold.state("a"), before);
});

test("a buried card is hidden until the next day begins, a suspended one until it is unsuspended", () => {
  const learned = [review(4, NOON - 30 * DAY_MS)];
  const buried = foldOf([...learned, mark(makeBury, NOON, { offset_minutes: 60 })]).state("a");
  const morning = Date.UTC(2026, 10, 25, 3);
  assert.deepEqual([isHidden(buried, morning - 1), isHidden(buried, morning)], [true, false]);
  assert.deepEqual([isDue(buried, morning - 1, 60), isDue(buried, morning, 60)], [false, true]);
  const suspended = [...learned, mark(makeSuspend, NOON)];
  assert.deepEqual(foldOf(suspended).due(NOON + 100 * DAY_MS, 0), []);
  assert.deepEqual(foldOf([...suspended, mark(makeUnsuspend, NOON + 1)]).due(NOON + 100 * DAY_MS, 0), ["a"]);
});

test("a card that is forgotten eight times is a leech", () => {
  const entries = [review(4, NOON)];
  for (let day = 10; entries.length < 15; day += 10) {
    entries.push(review(1, NOON + day * DAY_MS), review(3, NOON + day * DAY_MS + 11 * MINUTE));
  }
  assert.deepEqual([foldOf(entries).state("a").lapses, foldOf(entries).state("a").leech], [7, false]);
  const leech = foldOf([...entries, review(1, NOON + 900 * DAY_MS)]);
  assert.deepEqual([leech.state("a").lapses, leech.state("a").leech], [8, true]);
  assert.equal(leech.stats(NOON + 901 * DAY_MS, 0).hardest[0].leech, true);
});

test("on a journey a card is due when its day begins where the reader is", () => {
  const state = foldOf([review(4, NOON, { offset_minutes: 60 })], { fuzz: false }).state("a");
  assert.equal(new Date(state.due_ms).toISOString(), "2026-12-02T03:00:00.000Z");
  assert.equal(new Date(dueMs(state, -300)).toISOString(), "2026-12-02T09:00:00.000Z");
});

test("a journey westwards sets the date back, and no day has passed", () => {
  const morning = Date.UTC(2026, 10, 24, 20); // 05:00 of the 25th in Tokyo, 10:00 of the 24th in Honolulu
  const there = review(4, morning, { offset_minutes: 540 });
  const here = review(3, morning + 60 * MINUTE, { offset_minutes: -600 });
  const state = foldOf([there, here]).state("a");
  assert.equal(state.last_day, dayOf(morning, 540));
  assert.ok(state.interval_days >= 8);
});

test("a setting out of its range is refused by name", () => {
  assert.throws(() => createFold({ desired_retention: 1 }), /desired_retention is 1; it must be between 0.7 and 0.99/);
  assert.throws(() => createFold({ learning_steps: [1, 1440] }), /learning_steps has 1440; a step is 1 to 1439/);
  assert.throws(() => createFold({ maximum_interval_days: 0 }), /maximum_interval_days is 0/);
});

// --- The log as a whole ---

/** Entries of some cards, by several devices: reviews, undos, marks, a few of a later schema. */
function histories(cards) {
  const entry = fc.record({
    card: fc.integer({ min: 0, max: cards - 1 }).map((n) => "abc"[n]),
    minutes: fc.integer({ min: 0, max: 200 * 1440 }),
    offset_minutes: fc.constantFrom(-600, 0, 60, 120, 345),
    what: fc.constantFrom(1, 2, 3, 3, 3, 4, "undo", "bury", "suspend", "unsuspend", "later"),
    target: fc.nat(),
  });
  return fc.array(entry, { maxLength: 30 }).map((drawn) =>
    drawn.map(({ card, minutes, offset_minutes, what, target }, n) => {
      const origin = { card, at_ms: NOON + minutes * MINUTE, offset_minutes, device: DEVICE, id: uuid(n + 1) };
      if (what === "undo") return makeUndo({ ...origin, undoes: uuid((target % drawn.length) + 1) });
      if (what === "bury") return makeBury(origin);
      if (what === "suspend") return makeSuspend(origin);
      if (what === "unsuspend") return makeUnsuspend(origin);
      if (what === "later") return { schema: 2, id: origin.id, at: makeBury(origin).at, dreams: [n] };
      return makeReview({ ...origin, rating: what, duration_ms: 900 });
    }),
  );
}

const shuffled = (entries) =>
  fc.shuffledSubarray(entries, { minLength: entries.length, maxLength: entries.length });

test("the order in which entries arrive does not matter, nor do repetitions, nor who looks when", () => {
  const arrivals = histories(3).chain((entries) => fc.tuple(fc.constant(entries), shuffled(entries), shuffled(entries)));
  fc.assert(
    fc.property(arrivals, ([entries, one, other]) => {
      const expected = statesOf(foldOf([...entries].sort(compare)));
      const fold = createFold();
      for (const entry of one) {
        fold.add(entry);
        fold.states();
      }
      for (const entry of other) assert.equal(fold.add(entry), false);
      assert.deepEqual(statesOf(fold), expected);
      assert.deepEqual(fold.stats(NOON, 0), foldOf(other).stats(NOON, 0));
    }),
  );
});

test("a merge is commutative, associative and idempotent, also where an id was used twice", () => {
  const damaged = histories(3).chain((entries) =>
    fc.tuple(
      fc.subarray(entries),
      fc.subarray(entries).map((some) => some.map((one) => ({ ...one, device: uuid(7) }))),
      fc.subarray(entries).map((some) => some.map((one) => ({ ...one, card: "c" }))),
    ),
  );
  fc.assert(
    fc.property(damaged, ([a, b, c]) => {
      const all = merge(a, b, c);
      assert.deepEqual(merge(c, b, a), all);
      assert.deepEqual(merge(merge(a, b), c), merge(a, merge(b, c)));
      assert.deepEqual(merge(all, all), all);
      assert.deepEqual(statesOf(foldOf([...b, ...c, ...a])), statesOf(foldOf(all)));
    }),
  );
});

// --- Snapshots ---

const asKept = (fold) => JSON.parse(JSON.stringify(fold.snapshot()));

test("a fold that goes on from a snapshot is where a fold of the whole log is, or says that it cannot", () => {
  const cut = histories(3).chain((entries) => fc.tuple(fc.constant(entries), fc.integer({ min: 1, max: 30 })));
  let resumed = 0;
  fc.assert(
    fc.property(cut, ([entries, at]) => {
      const inOrder = [...entries].sort(compare);
      const snapshot = asKept(foldOf(inOrder.slice(0, at)));
      if (snapshot === null) return; // nothing yet that this version folds
      const whole = foldOf(inOrder);
      const fold = resumeFold(snapshot, {}, inOrder.slice(at));
      const tail = inOrder.slice(at);
      const into = tail.some(({ undoes }, n) => undoes && !tail.slice(0, n).some(({ id }) => id === undoes));
      assert.equal(fold === null, into);
      if (into) return;
      resumed += 1;
      assert.deepEqual(statesOf(fold), statesOf(whole));
      for (const days of [0, 40, 250]) {
        const now = NOON + days * DAY_MS;
        assert.deepEqual(fold.stats(now, 60), whole.stats(now, 60));
        assert.deepEqual(fold.due(now, 60), whole.due(now, 60));
        assert.equal(fold.newToday(now, 60), whole.newToday(now, 60));
      }
    }),
  );
  assert.ok(resumed > 20, `${resumed} went on from a snapshot`);
});

test("what a snapshot has no place for needs the whole log", () => {
  const head = [review(3, NOON), review(3, NOON + 10 * MINUTE), review(4, NOON, { card: "b" })];
  const snapshot = asKept(foldOf(head));
  const later = NOON + DAY_MS;
  assert.ok(resumeFold(snapshot, {}, [review(3, later)]));
  assert.ok(resumeFold(snapshot, {}, [{ schema: 2, id: uuid(999) }]), "which no fold takes in");
  assert.equal(resumeFold(snapshot, {}, [head[1]]), null, "known already");
  assert.equal(resumeFold(snapshot, {}, [review(3, NOON + MINUTE)]), null, "from another device");
  assert.equal(resumeFold(snapshot, {}, [mark(makeUndo, later, { undoes: head[1].id })]), null);
  assert.equal(resumeFold(snapshot, { desired_retention: 0.8 }, []), null, "other settings");
  assert.equal(resumeFold({ ...snapshot, version: 0 }, {}, []), null, "another version");
  const mine = review(1, later);
  const undone = resumeFold(snapshot, {}, [mine, mark(makeUndo, later + 1, { undoes: mine.id })]);
  assert.deepEqual(statesOf(undone), statesOf(foldOf(head)), "an undo of what came after it");
  assert.throws(() => undone.preview("a", NOON, 0), { name: "StaleSnapshotError" }, "a clock set back");
});

test("what was taken back before it came stays so from a snapshot on", () => {
  const late = review(1, NOON + DAY_MS);
  const head = [review(3, NOON), mark(makeUndo, NOON + MINUTE, { undoes: late.id })];
  const fold = resumeFold(asKept(foldOf(head)), {}, [late]);
  assert.deepEqual(statesOf(fold), statesOf(foldOf(head)));
});

test("there is no snapshot of an empty log", () => {
  assert.equal(createFold().snapshot(), null);
});

// --- Against ts-fsrs's own scheduler ---

test("a replay gives what ts-fsrs's own scheduler gives, review by review", () => {
  const STATES = { [State.Learning]: "learning", [State.Review]: "review", [State.Relearning]: "relearning" };
  const minutes = (steps) => steps.map((step) => `${step}m`);
  const settings = fc.record({
    desired_retention: fc.constantFrom(0.8, 0.9, 0.95),
    learning_steps: fc.constantFrom([], [1, 10], [5], [1, 10, 60]),
    relearning_steps: fc.constantFrom([], [10], [3, 20]),
    maximum_interval_days: fc.constantFrom(36_500, 30),
    fuzz: fc.boolean(),
  });
  const reviews = fc.array(fc.tuple(fc.constantFrom(1, 2, 3, 4), fc.integer({ min: 1, max: 30 * 1440 })), { maxLength: 12 });
  fc.assert(
    fc.property(settings, reviews, (chosen, ratings) => {
      const own = new FSRS({
        request_retention: chosen.desired_retention,
        maximum_interval: chosen.maximum_interval_days,
        enable_fuzz: chosen.fuzz,
        learning_steps: minutes(chosen.learning_steps),
        relearning_steps: minutes(chosen.relearning_steps),
      });
      own.useStrategy(StrategyMode.SEED, function () {
        return `a ${this.current.reps}`;
      });
      // Its days begin at midnight UTC: four hours later, ours do.
      let card = createEmptyCard(new Date(NOON));
      let at = NOON;
      const fold = createFold(chosen);
      for (const [rating, pause] of ratings) {
        at += pause * MINUTE;
        card = own.next(card, new Date(at), rating).card;
        fold.add(review(rating, at + 4 * 60 * MINUTE));
        const state = fold.state("a");
        assert.deepEqual(
          [state.state, state.step, state.stability, state.difficulty, state.lapses, state.interval_days, state.reps],
          [STATES[card.state], card.learning_steps, card.stability, card.difficulty, card.lapses, card.scheduled_days, card.reps],
        );
      }
    }),
  );
});

// --- Figures ---

test("the figures count what happened", () => {
  const day = (n) => NOON + n * DAY_MS;
  const entries = [
    review(4, day(0)),
    review(1, day(8)),
    review(3, day(8) + 11 * MINUTE),
    review(4, day(0), { card: "b", duration_ms: 500 }),
    review(3, day(8), { card: "b", duration_ms: 500 }),
    review(3, day(8), { card: "c" }),
    mark(makeSuspend, day(8), { card: "c" }),
  ];
  const wrong = review(1, day(8) + MINUTE, { card: "b" });
  const undo = mark(makeUndo, day(8) + 2 * MINUTE, { card: "b", undoes: wrong.id });
  const fold = foldOf([...entries, wrong, undo]);
  const stats = fold.stats(day(8), 0, ["a", "b", "c", "d"]);
  assert.deepEqual(stats.counts, { new: 1, learning: 1, young: 1, mature: 1, suspended: 1, leeches: 0 });
  assert.deepEqual(stats.days, [
    { date: "2026-11-24", reviews: 2, forgotten: 0, duration_ms: 1500 },
    { date: "2026-12-02", reviews: 4, forgotten: 1, duration_ms: 3500 },
  ]);
  assert.deepEqual(stats.retention, { desired: 0.9, days: 30, reviews: 2, recalled: 1, rate: 0.5 });
  assert.equal(stats.forecast.length, 30);
  assert.equal(stats.forecast.reduce((sum, { cards }) => sum + cards, 0), 1, "b is due later, c is suspended");
  assert.equal(stats.forecast[0].date, "2026-12-02");
  assert.deepEqual(stats.hardest.map(({ card, lapses }) => [card, lapses]), [["a", 1]]);
  assert.equal(fold.newToday(day(8), 0), 1);
  assert.equal(fold.newToday(day(0), 0), 2);
});
