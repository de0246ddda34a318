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
