// Where sessions meet the log, without a browser: settings, what is coming, what is merged.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDesk } from "../../../widgets/flipcards/frontend/desk.js";
import { formatLines, newId } from "../../../widgets/flipcards/frontend/log.js";

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 24, 12);

/** A log in memory that is as good as kept. */
function memory() {
  let entries = [];
  const listeners = new Set();
  const stateListeners = new Set();
  return {
    device: newId(),
    entries: () => entries,
    async append(added) {
      entries.push(...added);
      for (const listener of listeners) listener(added);
    },
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    persistent: true,
    reason: "",
    onState: (listener) => (stateListeners.add(listener), () => stateListeners.delete(listener)),
    requestPersistence: async () => true,
    clear() {
      entries = [];
      for (const listener of stateListeners) listener();
    },
  };
}

/** A desk whose clock the test moves. */
function deskAt(more = {}) {
  const clock = { now: NOW };
  const log = memory();
  const desk = createDesk({ log, now: () => clock.now, offsetMinutes: () => 60, ...more });
  return { clock, log, desk };
}

const shelf = (kept) => ({ load: () => kept, save: (settings) => Object.assign(kept, settings) });

test("a rating is an entry of the reader's instant and offset, with what was decided", () => {
  const { desk, log } = deskAt();
  const id = desk.rate("a", 4, 1234);
  const [entry] = log.entries();
  assert.deepEqual(
    [entry.id, entry.at, entry.offset_minutes, entry.duration_ms, entry.device],
    [id, "2026-11-24T12:00:00.000Z", 60, 1234, log.device],
  );
  assert.equal(entry.decided.state, "review");
  assert.equal(Date.parse(entry.decided.due), desk.state("a").due_ms);
  desk.undo("a", id);
  assert.equal(desk.status("a").state, "new");
});

test("what is coming is told by now, later today, and the next day that has something", () => {
  const { clock, desk } = deskAt({ shelf: shelf({ learning_steps: [180] }) });
  assert.deepEqual(desk.coming(["a", "b"]), { next: [], fresh: 2, hidden: false });
  desk.rate("a", 3, 0);
  desk.rate("b", 1, 0);
  desk.rate("c", 4, 0);
  assert.equal(desk.coming(["b"]).next[0].when, "in 3 hours");
  const [soon, far] = desk.coming(["a", "b", "c", "d"]).next;
  assert.deepEqual(soon, { count: 1, when: "in 3 hours" });
  assert.match(far.when, /^(tomorrow|in \d+ days)$/);
  clock.now += 170 * MINUTE;
  assert.deepEqual(desk.coming(["b"]).next, [{ count: 1, when: "now" }], "soon enough to be asked");
  desk.suspend("b");
  assert.deepEqual(desk.coming(["b"]), { next: [], fresh: 0, hidden: true });
});

test("ten new cards a day are left, fewer for each that was begun, and all again tomorrow at four", () => {
  const { clock, desk } = deskAt();
  assert.equal(desk.newLeft(), 10);
  for (const card of ["a", "b", "c"]) desk.rate(card, 3, 0);
  desk.rate("a", 3, 0);
  assert.equal(desk.newLeft(), 7);
  desk.change({ new_per_day: 2 });
  assert.equal(desk.newLeft(), 0);
  clock.now = Date.UTC(2026, 10, 25, 2, 59);
  assert.equal(desk.newLeft(), 0, "03:59 is still today");
  clock.now += MINUTE;
  assert.equal(desk.newLeft(), 2);
});

test("settings come from the shelf, and what makes no sense there is forgotten", () => {
  const kept = { new_per_day: 3 };
  const { desk } = deskAt({ shelf: shelf(kept) });
  assert.equal(desk.settings().new_per_day, 3);
  desk.change({ desired_retention: 0.8 });
  assert.deepEqual(kept, { new_per_day: 3, desired_retention: 0.8 });
  for (const wrong of [{ desired_retention: 7 }, { new_per_day: "many" }, { learning_steps: 5 }, null, [], "x"]) {
    const { desk } = deskAt({ shelf: shelf(wrong) });
    assert.equal(desk.settings().new_per_day, 10, JSON.stringify(wrong));
    assert.equal(desk.settings().desired_retention, 0.9);
  }
});

test("a shelf that throws costs nothing but the memory of the settings", () => {
  const refuse = () => {
    throw new Error("refused");
  };
  const { desk } = deskAt({ shelf: { load: refuse, save: refuse } });
  desk.change({ new_per_day: 1 });
  assert.equal(desk.settings().new_per_day, 1);
});

test("another retention moves every card at once", () => {
  const { desk } = deskAt();
  desk.rate("a", 4, 0);
  const before = desk.status("a").due_ms;
  desk.change({ desired_retention: 0.7 });
  assert.ok(desk.status("a").due_ms > before + DAY);
});

test("one's own entries and those from elsewhere are told, known ones are not", async () => {
  const { desk, log } = deskAt();
  let told = 0;
  const stop = desk.onChange(() => (told += 1));
  desk.rate("a", 3, 0);
  assert.equal(told, 1);
  const other = { ...log.entries()[0], id: newId(), card: "b" };
  await log.append([other]);
  assert.equal(told, 2);
  await log.append([other]);
  assert.equal(told, 2);
  stop();
  desk.rate("a", 3, 0);
  assert.equal(told, 2);
});

test("a log that was cleared leaves every card new", () => {
  const { desk, log } = deskAt();
  desk.rate("a", 4, 0);
  log.clear();
  assert.equal(desk.status("a").state, "new");
});

test("a file is merged by id and loading it again adds nothing; a damaged one changes nothing", async () => {
  const there = deskAt();
  there.desk.rate("a", 3, 0);
  there.desk.rate("b", 1, 0);
  const text = formatLines(there.log.entries());
  const { desk, log } = deskAt();
  desk.rate("c", 4, 0);
  const file = (content) => /** @type {File} */ ({ name: "progress.jsonl", text: async () => content });
  assert.deepEqual(await desk.load(file(text)), { added: 2, known: 0 });
  assert.deepEqual(await desk.load(file(text)), { added: 0, known: 2 });
  assert.equal(log.entries().length, 3);
  await assert.rejects(desk.load(file(`${text}{"schema": 1}\n`)), /progress\.jsonl:3: /);
  await assert.rejects(desk.load(file(text.slice(0, -9))), /progress\.jsonl:2: /);
  assert.equal(log.entries().length, 3);
});
