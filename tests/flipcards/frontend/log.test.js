// The review log: entries made, read, written, merged.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  canonical,
  compare,
  formatLines,
  LogError,
  makeBury,
  makeReview,
  makeUndo,
  merge,
  newId,
  parseLines,
  TruncatedLogError,
} from "../../../widgets/flipcards/frontend/log.js";

const ORIGIN = {
  card: "sft-goal",
  at_ms: Date.UTC(2026, 10, 24, 19, 5, 22, 123),
  offset_minutes: 60,
  device: "00000000-0000-4000-8000-0000000000de",
};
const FIRST = makeReview({ ...ORIGIN, id: "00000000-0000-4000-8000-000000000001", rating: 3, duration_ms: 4200 });
const SECOND = makeBury({ ...ORIGIN, id: "00000000-0000-4000-8000-000000000002", at_ms: ORIGIN.at_ms + 1 });
const THIRD = makeUndo({
  ...ORIGIN,
  id: "00000000-0000-4000-8000-000000000003",
  at_ms: ORIGIN.at_ms + 2,
  undoes: FIRST.id,
});
const text = (...entries) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

test("an entry has the keys of the format", () => {
  assert.deepEqual(FIRST, {
    schema: 1,
    id: "00000000-0000-4000-8000-000000000001",
    card: "sft-goal",
    at: "2026-11-24T19:05:22.123Z",
    offset_minutes: 60,
    device: "00000000-0000-4000-8000-0000000000de",
    kind: "review",
    rating: 3,
    duration_ms: 4200,
    decided: null,
  });
});

test("a clock that was set back while a card was shown gives no negative time", () => {
  assert.equal(makeReview({ ...ORIGIN, rating: 3, duration_ms: -3_600_000 }).duration_ms, 0);
});

test("ids are UUIDs, also where the host has no randomUUID or no crypto at all", (t) => {
  const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const hosts = [globalThis.crypto, { getRandomValues: (bytes) => bytes.fill(0xff) }, undefined];
  const original = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  t.after(() => Object.defineProperty(globalThis, "crypto", original));
  for (const crypto of hosts) {
    Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });
    assert.match(newId(), UUID);
  }
});

test("what is written is read again, in the order of instants", () => {
  const written = formatLines([THIRD, FIRST, SECOND]);
  assert.equal(written, text(FIRST, SECOND, THIRD));
  assert.deepEqual(parseLines(written, "progress.jsonl"), [FIRST, SECOND, THIRD]);
});

test("a byte order mark, CRLF, empty lines and unknown keys are accepted", () => {
  const kept = { ...FIRST, note: "kept" };
  assert.deepEqual(parseLines(`\ufeff${text(kept)}\n\n${text(SECOND)}`.replaceAll("\n", "\r\n"), "x"), [kept, SECOND]);
  assert.deepEqual(parseLines("", "x"), []);
});

test("one id is one entry, in a file as in a merge", () => {
  assert.deepEqual(parseLines(text(FIRST, FIRST), "x"), [FIRST]);
  const damaged = { ...FIRST, rating: 1 };
  assert.deepEqual(merge([FIRST], [damaged]), [damaged]);
  assert.deepEqual(merge([damaged], [FIRST]), [damaged]);
  assert.deepEqual(parseLines(text(FIRST, damaged), "x"), [damaged]);
});

test("entries at one instant are in the order of their ids", () => {
  assert.ok(compare({ ...SECOND, at: FIRST.at }, FIRST) > 0);
  assert.equal(compare(FIRST, FIRST), 0);
});

test("a last line that was cut off is told apart, with the whole lines", () => {
  const log = text(FIRST, SECOND);
  for (const cut of [2, 40, JSON.stringify(SECOND).length]) {
    const torn = log.slice(0, -cut);
    assert.throws(
      () => parseLines(torn, "progress.jsonl"),
      (error) =>
        error instanceof TruncatedLogError &&
        error.message.startsWith("progress.jsonl:2: the last line is cut off") &&
        assert.deepEqual(error.entries, [FIRST]) === undefined,
    );
  }
  // Without its newline alone, the last line is whole.
  assert.deepEqual(parseLines(log.slice(0, -1), "x"), [FIRST, SECOND]);
});

test("a damaged or foreign file is refused with its line, what is wrong and what to do", () => {
  const refused = {
    "x:1: this is no JSON; choose a file": "PK\u0003\u0004 zipped\n",
    "x:1: this is no entry of a review log (it has no 'schema'); choose": '{"cards": []}\n',
    "x:2: this line is no JSON; mend or remove it": `${text(FIRST)}{"schema": 1,\n${text(SECOND)}`,
    "x:2: 'rating' is 7; it must be 1 (Again)": text(FIRST, { ...FIRST, id: SECOND.id, rating: 7 }),
    "x:1: 'at' is \"2026-02-30T00:00:00.000Z\"; it must be an instant": text({ ...SECOND, at: "2026-02-30T00:00:00.000Z" }),
    "x:1: 'at' is \"2026-02-03\"; it must be an instant": text({ ...SECOND, at: "2026-02-03" }),
    "x:1: 'id' is missing": text({ ...SECOND, id: undefined }),
    "x:1: 'id' is \"7\"; it must be a UUID": text({ schema: 2, id: "7" }),
    "x:1: 'kind' is \"reset\"; it must be one of review": text({ ...SECOND, kind: "reset" }),
    "x:1: 'card' is \"\"; it must": text({ ...SECOND, card: "" }),
    "x:1: 'device' is null; it must": text({ ...SECOND, device: null }),
    "x:1: 'offset_minutes' is 0.5; it must": text({ ...SECOND, offset_minutes: 0.5 }),
    "x:1: 'undoes' is missing; it must": text({ ...THIRD, undoes: undefined }),
    "x:1: 'duration_ms' is -1; it must": text({ ...FIRST, duration_ms: -1 }),
    "x:1: 'decided' is 3; it must": text({ ...FIRST, decided: 3 }),
    "x:1: 'decided.state' is \"new\"; it must": text({ ...FIRST, decided: { state: "new" } }),
    "x:1: 'decided.stability' is missing; it must": text({
      ...FIRST,
      decided: { state: "review", due: FIRST.at, interval_days: 1 },
    }),
  };
  for (const [message, file] of Object.entries(refused)) {
    assert.throws(
      () => parseLines(file, "x"),
      (error) => error instanceof LogError && !(error instanceof TruncatedLogError) && error.message.startsWith(message),
      message,
    );
  }
});

test("entries of a later schema are kept as they are", () => {
  const later = { schema: 2, id: "00000000-0000-4000-8000-000000000009", at: "2027-01-01T00:00:00.000Z", kind: "dream" };
  assert.deepEqual(parseLines(text(later, FIRST), "x"), [later, FIRST]);
  assert.equal(formatLines([later, FIRST]), text(FIRST, later));
});

test("canonical JSON is ASCII with its keys in order", () => {
  assert.equal(canonical({ b: ["é\u007f", 1.5, null, "😀"], a: { d: true, c: 1e-7 } }), '{"a":{"c":1e-7,"d":true},"b":["\\u00e9\\u007f",1.5,null,"\\ud83d\\ude00"]}');
});
