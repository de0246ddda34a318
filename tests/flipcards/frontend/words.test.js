// The same messages as Python gives: `data/words.json` has the cases of both.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { speak, words } from "../../../widgets/flipcards/frontend/words.js";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const CATALOGUES = {
  en: undefined,
  de: read("../../../widgets/flipcards/src/flipcards/words/de.json"),
  pl: read("../data/words-pl.json"),
};

for (const { language, key, places, text } of read("../data/words.json")) {
  test(`${language}: ${key} with ${JSON.stringify(places)}`, () => {
    const [section, name] = key.split(".");
    speak(CATALOGUES[language]);
    assert.equal(words(section)(name, places), text);
    speak(undefined);
  });
}

test("what English does without Intl is what Intl gives", () => {
  const plurals = new Intl.PluralRules("en");
  const count = words("page");
  for (const number of [...Array(1100).keys(), 0.5, 1.5, 99.25, 12345, 999999, 1e6, 1234567, 1e15, 1e21, -1, -999, -1000]) {
    const written = number.toLocaleString("en");
    const form = plurals.select(number) === "one" ? `${written} card` : `${written} cards`;
    assert.equal(count("count", { count: number }), form);
  }
});
