// The stored histories, folded by the very bundle that Python runs.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const BUNDLE = new URL("../../../widgets/flipcards/src/flipcards/static/schedule.js", import.meta.url);
const CASES = new URL("../data/log/", import.meta.url);

/** Run the bundle in a realm of its own. */
function load() {
  const realm = vm.createContext({});
  vm.runInContext(readFileSync(BUNDLE, "utf8"), realm);
  return realm;
}

/** As it would arrive in another realm. */
const plain = (value) => JSON.parse(JSON.stringify(value));

for (const file of readdirSync(CASES)) {
  const golden = JSON.parse(readFileSync(new URL(file, CASES), "utf8"));
  test(`${file}: ${golden.why}`, () => {
    const { flipcardsSchedule: bundle } = load();
    bundle.open(golden.settings);
    bundle.add(golden.entries);
    const { now_ms, offset_minutes, states } = golden;
    assert.deepEqual(plain(Object.fromEntries(bundle.states().map((state) => [state.card, state]))), states);
    assert.deepEqual(plain(bundle.due(now_ms, offset_minutes, null)), golden.due);
    const { counts, days, retention } = plain(bundle.stats(now_ms, offset_minutes, null));
    assert.deepEqual({ counts, days, retention }, golden.stats);
    for (const [card, preview] of Object.entries(golden.preview)) {
      assert.deepEqual(plain(bundle.preview(card, now_ms, offset_minutes)), preview, card);
    }
  });
}

test("the bundle leaves Date as it was", () => {
  const realm = vm.createContext({});
  const names = () => vm.runInContext("Object.getOwnPropertyNames(Date.prototype).join()", realm);
  const before = names();
  vm.runInContext(readFileSync(BUNDLE, "utf8"), realm);
  assert.equal(names(), before);
});
