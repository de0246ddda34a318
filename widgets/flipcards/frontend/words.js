// @ts-check
// What a reader is told, in the language of the book: the messages of the catalogue with their places filled in.

import english from "../src/flipcards/words/en.json" with { type: "json" };

/**
 * @typedef {typeof english} Catalogue
 * @typedef {Exclude<keyof Catalogue, "language">} Section
 * @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Message
 */

/** @type {Partial<Catalogue>} */
let catalogue = english;
/** @type {Intl.PluralRules | undefined} */
let plurals;

// The browser's first use of Intl takes longer than all else that makes a page's cards turn. English does without
// where it counts, and says the same.
const isPlain = (/** @type {unknown} */ value) => catalogue === english && /^\d+$/.test(`${value}`);
const pluralOf = (/** @type {number} */ count) =>
  isPlain(count) ? (count === 1 ? "one" : "other") : (plurals ??= new Intl.PluralRules(language())).select(count);

/**
 * Speak another language from now on.
 *
 * @param {Partial<Catalogue> | undefined} other  Its `language` and sections; without a language, English again.
 */
export function speak(other) {
  catalogue = other?.language ? other : english;
  plurals = undefined;
}

// A page in another language has a script with its words, which runs before this one.
speak(/** @type {{flipcardsWords?: Partial<Catalogue>}} */ (globalThis).flipcardsWords);

/** The tag of the language, by which numbers and dates are written. */
export const language = () => catalogue.language;

/**
 * The messages of a section, of which a bundle carries those that build.js names.
 *
 * @template {Section} Name
 * @param {Name} section
 * @returns {(key: keyof Catalogue[Name], places?: Record<string, string | number>) => string}
 *   Takes a key and what stands in the places of its message: numbers are written as the language does, and
 *   of a message with plural forms `count` chooses one.
 */
export const words = (section) => (key, places = {}) => {
  const own = /** @type {Catalogue[Name] | undefined} */ (catalogue[section]);
  const message = /** @type {Message} */ (own?.[key] ?? english[section][key]);
  const form = typeof message === "string" ? message : (message[pluralOf(Number(places.count))] ?? message.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => {
    const value = places[name];
    if (typeof value !== "number") return `${value}`;
    return isPlain(value) ? `${value}`.replace(/\B(?=(\d{3})+$)/g, ",") : value.toLocaleString(language());
  });
};
