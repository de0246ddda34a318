// @ts-check
// The figures of progress: SVG that a style sheet colours, each with its numbers as a table behind it.

import { DAY_MS, dateOf } from "./days.js";
import { element } from "./dom.js";
import { language, words } from "./words.js";

const say = words("today");

const SPACE = "http://www.w3.org/2000/svg";
const LEVELS = 4; // shades of a day in the calendar
const STAGES = /** @type {const} */ ({
  new: "stageNew",
  learning: "stageLearning",
  young: "stageYoung",
  mature: "stageMature",
});

const shown = (/** @type {number} */ number) => number.toLocaleString(language());

const percent = (/** @type {number} */ share) => say("percent", { share: Math.round(1000 * share) / 10 });

/**
 * What writes a reader's day as the language does.
 *
 * @param {Intl.DateTimeFormatOptions} options
 * @returns {(day: number) => string}
 */
const dates = (options) => {
  const format = new Intl.DateTimeFormat(language(), { ...options, timeZone: "UTC" });
  return (day) => format.format(day * DAY_MS);
};

/** The day of a date as `dateOf` writes it. */
const dayNumber = (/** @type {string} */ date) => Date.parse(date) / DAY_MS;

/**
 * A new SVG element.
 *
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {(SVGElement | string)[]} children
 */
function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * A drawing that is one picture for a screen reader; its numbers are in the table behind it.
 *
 * @param {number} width
 * @param {number} height
 * @param {string} words  What it shows.
 * @param {SVGElement[]} parts
 */
function picture(width, height, words, parts) {
  const view = { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words };
  return svg("svg", { ...view, class: "flipcards-chart" }, ...parts);
}

const text = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ words, anchor = "start") =>
  svg("text", { x, y, "text-anchor": anchor }, words);

/**
 * A figure: a title, a drawing, a line of words, and the numbers.
 *
 * @param {string} title
 * @param {Node[]} drawing
 * @param {string} caption
 * @param {{head: string[], rows: (string | number)[][]} | null} numbers
 */
export function figure(title, drawing, caption, numbers) {
  const made = element("figure", "flipcards-figure");
  made.append(element("h3", "", title), ...drawing);
  if (caption) made.append(element("figcaption", "", caption));
  if (numbers) made.append(numbersOf(title, numbers));
  return made;
}

/**
 * What may be larger than its place, and is scrolled by keys as well.
 *
 * @param {string} title
 * @param {Node} content
 */
function scroller(title, content) {
  const made = element("div", "flipcards-scroller", "", { tabindex: "0", role: "group", "aria-label": title });
  made.append(content);
  return made;
}

/**
 * @param {string} title
 * @param {{head: string[], rows: (string | number)[][]}} numbers
 */
function numbersOf(title, { head, rows }) {
  const details = element("details", "flipcards-numbers");
  const table = element("table", "");
  table.append(element("caption", "", title));
  const line = (/** @type {(string | number)[]} */ cells, isHead = false) => {
    const row = element("tr", "");
    cells.forEach((cell, n) => {
      const scope = isHead ? "col" : n === 0 ? "row" : "";
      row.append(element(scope ? "th" : "td", "", typeof cell === "number" ? shown(cell) : cell, scope ? { scope } : {}));
    });
    return row;
  };
  const parts = [element("thead", ""), element("tbody", "")];
  parts[0]?.append(line(head, true));
  parts[1]?.append(...rows.map((row) => line(row)));
  table.append(...parts);
  details.append(element("summary", "", say("numbers")), scroller(title, table));
  return details;
}

/**
 * How many cards are how far: one bar of parts, and a legend that says their numbers.
 *
 * @param {Record<"new" | "learning" | "young" | "mature", number>} counts
 * @param {number} wide  The width there is, in CSS pixels; drawings are not scaled, so that their words can be read.
 */
export function stages(counts, wide) {
  const names = /** @type {const} */ (["mature", "young", "learning", "new"]);
  const total = names.reduce((sum, name) => sum + counts[name], 0);
  let x = 0;
  const parts = names.map((name) => {
    const width = total ? (wide * counts[name]) / total : 0;
    const part = svg("rect", { x, y: 0, width, height: 24, class: `flipcards-stage-${name}` });
    x += width;
    return part;
  });
  const said = names.map((name) => `${say(STAGES[name])} ${shown(counts[name])}`).join(", ");
  const legend = element("ul", "flipcards-legend");
  for (const name of names) {
    const item = element("li", "");
    item.append(
      element("span", `flipcards-swatch flipcards-stage-${name}`, "", { "aria-hidden": "true" }),
      element("span", "flipcards-legend-name", say(STAGES[name])),
      " ",
      element("strong", "", shown(counts[name])),
    );
    legend.append(item);
  }
  return figure(say("stages"), [picture(wide, 24, said, parts), legend], say("stagesHelp"), {
    head: [say("stage"), say("cards")],
    rows: names.map((name) => [say(STAGES[name]), counts[name]]),
  });
}

/**
 * A year of days, a column a week from Monday, the more reviews the darker.
 *
 * @param {readonly {date: string, reviews: number, forgotten: number}[]} days  Those with reviews.
 * @param {number} today  The reader's day.
 */
export function calendar(days, today) {
  const [size, left, top] = [13, 30, 18];
  const byDate = new Map(days.map((day) => [day.date, day]));
  const weekday = (/** @type {number} */ day) => (((day + 3) % 7) + 7) % 7; // 1970 began on a Thursday
  const first = today - weekday(today) - 52 * 7;
  const max = Math.max(1, ...days.map(({ reviews }) => reviews));
  const weekdayOf = dates({ weekday: "short" });
  const monthOf = dates({ month: "short" });
  const dayNamed = dates({ dateStyle: "medium" });
  /** @type {SVGElement[]} */
  const parts = [0, 2, 4, 6].map((row) => text(left - 6, top + row * size + 10, weekdayOf(first + row), "end"));
  let sum = 0;
  let active = 0;
  for (let day = first; day <= today; day++) {
    const [column, row] = [Math.floor((day - first) / 7), weekday(day)];
    const date = dateOf(day);
    const reviews = byDate.get(date)?.reviews ?? 0;
    sum += reviews;
    if (reviews) active += 1;
    const at = { x: left + column * size, y: top + row * size, width: size - 2, height: size - 2, rx: 2 };
    const level = Math.ceil((LEVELS * reviews) / max);
    const square = svg("rect", { ...at, class: `flipcards-level-${level}` });
    square.append(svg("title", {}, say("onDay", { date: dayNamed(day), count: reviews })));
    parts.push(square);
    if (row === 0 && Number(date.slice(8)) <= 7) {
      parts.push(text(left + column * size, 11, monthOf(day)));
    }
  }
  const said = say("calendarSays", {
    reviews: say("calendarReviews", { count: sum }),
    days: say("calendarDays", { count: active }),
  });
  const drawing = picture(left + 53 * size, top + 7 * size, said, parts);
  const rows = [...days].reverse().map(({ date, reviews, forgotten }) => [dayNamed(dayNumber(date)), reviews, forgotten]);
  return figure(say("calendar"), [scroller(say("calendar"), drawing)], said, {
    head: [say("date"), say("reviews"), say("forgotten")],
    rows,
  });
}

/**
 * How many cards come back on each of the next days.
 *
 * @param {readonly {date: string, cards: number}[]} days  The first is today.
 * @param {number} width  Like `stages`.
 */
export function forecast(days, width) {
  const [left, top, height] = [34, 8, 110];
  const step = (width - left) / days.length;
  const max = Math.max(1, ...days.map(({ cards }) => cards));
  const base = top + height;
  const dayNamed = dates({ dateStyle: "medium" });
  const parts = [
    svg("line", { x1: left, x2: width, y1: base, y2: base, class: "flipcards-axis" }),
    svg("line", { x1: left, x2: width, y1: top, y2: top, class: "flipcards-grid-line" }),
    text(left - 6, top + 8, shown(max), "end"),
    text(left - 6, base, "0", "end"),
  ];
  days.forEach(({ date, cards }, n) => {
    const tall = (height * cards) / max;
    const bar = svg("rect", { x: left + n * step + step / 7, y: base - tall, width: (5 * step) / 7, height: tall, rx: 2, class: "flipcards-bar-due" });
    bar.append(svg("title", {}, say("dueOn", { date: dayNamed(dayNumber(date)), count: cards })));
    parts.push(bar);
    if (n % 7 === 0) parts.push(text(left + n * step + step / 2, base + 16, n ? `+${n}` : say("today"), "middle"));
  });
  const sum = days.reduce((all, { cards }) => all + cards, 0);
  const said = sum ? say("forecastSays", { count: sum, most: max }) : say("forecastNone");
  return figure(say("forecast"), [picture(width, base + 22, said, parts)], said, {
    head: [say("date"), say("cards")],
    rows: days.map(({ date, cards }) => [dayNamed(dayNumber(date)), cards]),
  });
}

/**
 * The share of cards that were recalled, and the share that was wished for.
 *
 * @param {{desired: number, days: number, reviews: number, recalled: number, rate: number | null}} retention
 * @param {number} width  Like `stages`.
 */
export function retention({ desired, days, reviews, recalled, rate }, width) {
  const wish = percent(desired);
  if (rate === null) return figure(say("retention"), [], say("retentionNone", { wish }), null);
  const at = width * desired;
  const parts = [
    svg("rect", { x: 0, y: 20, width, height: 20, rx: 4, class: "flipcards-track" }),
    svg("rect", { x: 0, y: 20, width: width * rate, height: 20, rx: 4, class: "flipcards-bar-due" }),
    svg("line", { x1: at, x2: at, y1: 14, y2: 46, class: "flipcards-mark" }),
    text(at + 2, 10, say("desired", { wish }), "end"),
  ];
  const said = say("retentionSays", { rate: percent(rate), recalled, reviews, days });
  return figure(say("retention"), [picture(width, 48, `${said} ${say("desired", { wish })}`, parts)], said, {
    head: [say("retention"), say("share")],
    rows: [
      [say("recalledShare"), percent(rate)],
      [say("desiredShare"), wish],
    ],
  });
}
