// The link of a session to Python, without a browser: what Python did not say it has is said again.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { linkLog } from "../../../widgets/flipcards/frontend/live-log.js";
import { makeReview, newId } from "../../../widgets/flipcards/frontend/log.js";

const device = "00000000-0000-4000-8000-00000000000d";
const review = (card = "one") =>
  makeReview({ card, at_ms: Date.UTC(2026, 10, 24), offset_minutes: 60, device, rating: 3, duration_ms: 1 });
const ids = (entries) => entries.map(({ id }) => id).sort();

const ours = (link) => (({ saved, waiting }) => ({ saved, waiting }))(link.counts());

/** An outbox that keeps its entries in `disk`, which outlasts it. */
function outboxOn(disk, { persistent = true } = {}) {
  return {
    device,
    entries: [...disk.values()],
    persistent,
    async put(entries) {
      if (!persistent) throw new Error("nothing is kept");
      for (const entry of entries) disk.set(entry.id, entry);
    },
    async remove(gone) {
      for (const id of gone) disk.delete(id);
    },
    close() {},
  };
}

/** What Session.receive does. `say` reaches every view. */
function python(log = []) {
  const kernel = {
    log,
    views: [],
    heard: [],
    busy: false,
    full: false,
    say: (message) => kernel.views.forEach((view) => view.receive(structuredClone(message))),
    hear(message) {
      kernel.heard.push(message);
      if (kernel.busy) return;
      if (message.type === "hello") return kernel.tell(message.known);
      const asked = ids(message.entries);
      if (kernel.full) return kernel.say({ type: "refused", ids: asked, reason: "the disk is full", final: false });
      const before = log.length;
      for (const entry of message.entries) if (!log.some(({ id }) => id === entry.id)) log.push(entry);
      kernel.tell(before, asked);
    },
    tell: (from, acknowledged = []) =>
      kernel.say({ type: "log", from, entries: log.slice(from), total: log.length, acknowledged }),
    /** A view of it; messages take a turn of the event loop. */
    view(disk = new Map(), options = {}) {
      const send = (message) => queueMicrotask(() => kernel.hear(structuredClone(message)));
      const link = linkLog({ send, outbox: outboxOn(disk, options), offsetMinutes: () => 60 });
      kernel.views.push(link);
      link.hello();
      return link;
    },
  };
  return kernel;
}

const settled = async () => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};
const timers = (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  return async (ms) => {
    mock.timers.tick(ms);
    await settled();
  };
};

test("a new view learns Python's log, and a rating counts as saved when Python says so", async (t) => {
  timers(t);
  const old = review();
  const disk = new Map();
  const kernel = python([old]);
  const link = kernel.view(disk);
  await link.ready;
  assert.deepEqual(link.log.entries(), [old]);
  assert.equal(kernel.heard[0].offset_minutes, 60);

  const made = review("two");
  await link.log.append([made]);
  assert.deepEqual(link.log.entries(), [old, made]);
  await settled();
  assert.deepEqual(kernel.log, [old, made]);
  assert.deepEqual(link.counts(), { known: 2, saved: 1, waiting: 0 });
  assert.equal(disk.size, 0);
});

test("while an answer is awaited, ratings gather and go as one message", async (t) => {
  timers(t);
  const kernel = python();
  const link = kernel.view();
  await link.ready;
  const made = Array.from({ length: 1200 }, () => review());
  for (const entry of made) link.log.append([entry]);
  assert.deepEqual(ours(link), { saved: 0, waiting: 1200 });
  await settled();
  assert.deepEqual(ids(kernel.log), ids(made));
  assert.deepEqual(ours(link), { saved: 1200, waiting: 0 });
  const sizes = kernel.heard.filter(({ type }) => type === "entries").map(({ entries }) => entries.length);
  assert.deepEqual(sizes, [1, 500, 500, 199]);
});

test("a busy Python is said to be silent, is asked again ever more slowly, and then gets everything once", async (t) => {
  const pass = timers(t);
  const kernel = python();
  const link = kernel.view();
  await link.ready;
  kernel.busy = true;
  const made = [review(), review("two")];
  for (const entry of made) link.log.append([entry]);
  await pass(3900);
  assert.equal(link.state(), "live");
  await pass(200);
  assert.equal(link.state(), "silent");
  assert.deepEqual(ours(link), { saved: 0, waiting: 2 });
  const before = kernel.heard.length;
  await pass(60_000);
  assert.ok(kernel.heard.length - before <= 8, "not a flood");
  kernel.busy = false;
  await pass(30_000);
  assert.equal(link.state(), "live");
  assert.deepEqual(ids(kernel.log), ids(made));
  assert.deepEqual(ours(link), { saved: 2, waiting: 0 });
});

test("when the kernel is gone nothing more is sent, and the next kernel gets what the outbox kept", async (t) => {
  const pass = timers(t);
  const disk = new Map();
  const first = python();
  const link = first.view(disk);
  await link.ready;
  await link.log.append([review()]);
  await settled();
  first.busy = true; // killed
  link.log.append([review("two")]);
  link.lose();
  assert.equal(link.state(), "gone");
  link.log.append([review("three")]);
  await settled();
  const before = first.heard.length;
  await pass(100_000);
  assert.equal(first.heard.length, before);
  assert.deepEqual(ours(link), { saved: 1, waiting: 2 });
  assert.equal(link.log.entries().length, 3);
  assert.equal(disk.size, 2);

  const second = python([...first.log]);
  const next = second.view(disk);
  await next.ready;
  await settled();
  assert.deepEqual(ids(second.log), ids(link.log.entries()));
  assert.equal(disk.size, 0);
});

test("where the browser keeps nothing, progress is said to be in danger only while Python is away", async (t) => {
  timers(t);
  const kernel = python();
  const link = kernel.view(new Map(), { persistent: false });
  await link.ready;
  assert.equal(link.log.persistent, true);
  let told = 0;
  link.log.onState(() => (told += 1));
  link.hello();
  await settled();
  assert.equal(told, 0);
  link.lose();
  assert.equal(told, 1);
  assert.equal(link.log.persistent, false);
  assert.match(link.log.reason, /lost when the page is closed/);
  await assert.rejects(link.log.append([review()]), /nothing is kept/);
  assert.equal(link.log.entries().length, 1);
});

test("what Python cannot keep is told with its reason, stays, and is tried again", async (t) => {
  const pass = timers(t);
  const kernel = python();
  const disk = new Map();
  const link = kernel.view(disk);
  await link.ready;
  kernel.full = true;
  link.log.append([review()]);
  await settled();
  assert.equal(link.state(), "refused");
  assert.equal(link.why(), "the disk is full");
  assert.deepEqual(ours(link), { saved: 0, waiting: 1 });
  assert.equal(disk.size, 1);
  kernel.full = false;
  await pass(4000);
  assert.equal(link.state(), "live");
  assert.equal(disk.size, 0);
});

test("an entry refused for good holds up no other, and stays in the outbox", async (t) => {
  timers(t);
  const kernel = python();
  const disk = new Map();
  const link = kernel.view(disk);
  await link.ready;
  const [bad, good] = [review(), review()];
  kernel.busy = true;
  link.log.append([bad]);
  link.log.append([good]);
  await settled();
  kernel.busy = false;
  link.receive({ type: "refused", ids: [bad.id], reason: "'rating' is 9", final: true });
  await settled();
  assert.deepEqual(kernel.log, [good]);
  assert.deepEqual([...disk.keys()], [bad.id]);
});

test("two views of one session learn of each other's ratings, each once", async (t) => {
  timers(t);
  const kernel = python();
  const [one, two] = [kernel.view(), kernel.view()];
  await Promise.all([one.ready, two.ready]);
  const learned = [];
  two.log.subscribe((added) => learned.push(...added));
  const [a, b] = [review(), review("two")];
  one.log.append([a]);
  two.log.append([b]);
  await settled();
  assert.deepEqual(ids(one.log.entries()), ids([a, b]));
  assert.deepEqual(ids(two.log.entries()), ids([a, b]));
  assert.deepEqual(ids(learned), ids([a, b]));
  assert.equal(kernel.log.length, 2);
});

test("a message that was lost on the way leaves no gap", async (t) => {
  timers(t);
  const kernel = python();
  const link = kernel.view();
  await link.ready;
  kernel.log.push(review("a"), review("b"), review("c"));
  kernel.tell(2); // the message about the first two is lost
  await settled();
  assert.equal(link.log.entries().length, 3);
});

test("a long log comes in pieces, and the view is ready when it is whole", async (t) => {
  timers(t);
  const kernel = python(Array.from({ length: 5 }, () => review()));
  kernel.tell = (from) => {
    for (const at of [0, 2, 4]) {
      if (at >= from) kernel.say({ type: "log", from: at, entries: kernel.log.slice(at, at + 2), total: 5, acknowledged: [] });
    }
  };
  const link = kernel.view();
  let known = -1;
  link.ready.then(() => (known = link.log.entries().length));
  await settled();
  assert.equal(known, 5);
});

test("after the network was away the same kernel is asked at once", async (t) => {
  const pass = timers(t);
  const kernel = python();
  const link = kernel.view();
  await link.ready;
  kernel.busy = true;
  link.log.append([review()]);
  await pass(20_000);
  kernel.busy = false;
  link.resume();
  await settled();
  assert.equal(link.state(), "live");
  assert.equal(kernel.log.length, 1);
});

test("what Python says that is no message of ours changes nothing", async (t) => {
  timers(t);
  const link = python().view();
  await link.ready;
  for (const message of [null, "log", 3, {}, { type: newId() }]) link.receive(message);
  assert.equal(link.state(), "live");
  assert.deepEqual(link.log.entries(), []);
});
