// @ts-check
// The words of study and progress: one catalogue, so that a translation is one table.

/** @type {(count: number, one: string, many?: string) => string} */
const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** @type {(time_ms: number) => string} */
const time = (time_ms) =>
  time_ms < MINUTE_MS ? "under 1 min" : `${Math.round(time_ms / MINUTE_MS).toLocaleString("en")} min`;

export const WORDS = {
  session: "Study session",
  meter: "Cards done",
  /** @type {(done: number, left: number, time_ms: number) => string} */
  sum: (done, left, time_ms) => `${done} done · ${left} left · ${time(time_ms)}`,
  cram: "Cram: nothing is recorded",
  show: "Show answer",
  rate: "How well did you know it?",
  ratings: { 1: "Again", 2: "Hard", 3: "Good", 4: "Easy" },
  undo: "Undo",
  bury: "Bury",
  buryTitle: "Not today: hide this card until tomorrow",
  suspend: "Suspend",
  suspendTitle: "Hide this card until you bring it back under Options",
  options: "Options",
  keys: "Keys",
  end: "End",
  close: "Close",
  /** @type {(question: string) => string} */
  asked: (question) => `Question: ${question}`,
  /** @type {(answer: string) => string} */
  answered: (answer) => `Answer: ${answer}`,
  undone: "Undone.",
  buried: "Hidden until tomorrow.",
  suspended: "Suspended.",

  finished: "Done for now",
  nothing: "Nothing to study now",
  /** @type {(reviews: number, cards: number, time_ms: number) => string} */
  reviewed: (reviews, cards, time_ms) =>
    `${counted(reviews, "review")} of ${counted(cards, "card")} in ${time(time_ms)}`,
  /** @type {(cards: number) => string} */
  learned: (cards) => `${counted(cards, "new card")} begun`,
  /** @type {(recalled: number, asked: number) => string} */
  recalled: (recalled, asked) =>
    `${recalled} of ${asked} recalled (${Math.round((100 * recalled) / asked)} %)`,
  crammed: "Nothing was recorded, and no card was moved.",
  /** @type {(count: number, when: string) => string} */
  returnAt: (count, when) => `${counted(count, "card")} ${count === 1 ? "is" : "are"} due ${when}.`,
  /** @type {(count: number) => string} */
  newTomorrow: (count) => `${counted(count, "new card")} ${count === 1 ? "is" : "are"} left for the days to come.`,
  allHidden: "Every card here is suspended, buried or filtered out.",
  allDone: "Nothing more is planned for these cards.",
  /** @type {(count: number) => string} */
  more: (count) => `Learn ${counted(count, "more new card")}`,
  cramAll: "Cram these cards",
  now: "now",
  /** @type {(wait_ms: number, days: number) => string} */
  when: (wait_ms, days) => {
    if (wait_ms <= MINUTE_MS) return "in a minute";
    if (days === 0 && wait_ms < HOUR_MS) return `in ${Math.ceil(wait_ms / MINUTE_MS)} minutes`;
    if (days === 0) return `in ${counted(Math.round(wait_ms / HOUR_MS), "hour")}`;
    return days === 1 ? "tomorrow" : `in ${days.toLocaleString("en")} days`;
  },

  which: "Which cards",
  kind: "Cards",
  kinds: { all: "Due and new", due: "Due only", new: "New only", leech: "Often forgotten" },
  any: "All",
  filters: { tag: "Tag", page: "Page", part: "Section" },
  cramOption: "Cram: go through all of them and leave the schedule alone",
  settings: "Settings of this book",
  newPerDay: "New cards a day",
  retention: "Desired retention (%)",
  steps: "Learning steps (minutes)",
  stepsHelp: "Minutes until a new card comes back, such as: 1 10",
  begin: "Study these",
  badNew: "Write a whole number of new cards a day, from 0 to 9999.",
  badRetention: "Write a desired retention from 70 to 97 %.",
  badSteps: "Write the steps as whole minutes, each from 1 to 1439, with spaces between.",
  file: "Progress file",
  download: "Download progress",
  load: "Load progress",
  /** @type {(added: number, known: number) => string} */
  loaded: (added, known) =>
    added
      ? `${counted(added, "entry", "entries")} loaded, ${known.toLocaleString("en")} known already.`
      : `Nothing new: ${known === 1 ? "its entry is" : `all its ${known.toLocaleString("en")} entries are`} known already.`,
  /** @type {(count: number) => string} */
  hiddenCards: (count) => `${counted(count, "card")} suspended`,
  bringBack: "Bring them back",
  /** @type {(count: number) => string} */
  broughtBack: (count) => `${counted(count, "card")} brought back.`,
  /** @type {(reason: string) => string} */
  notKept: (reason) => `Progress is not kept. ${reason} Download it before you leave this page.`,

  unchanged: "Nothing was changed.",

  /** @type {(count: number) => string} */
  forToday: (count) => `${counted(count, "card")} for today`,
  /** @type {(due: number, fresh: number) => string} */
  dueAndNew: (due, fresh) => [due && `${due} due`, fresh && `${fresh} new`].filter(Boolean).join(" · "),
  start: "Start",
  startMore: "Study anyway",
  progress: "Progress",
  today: "today",
  numbers: "The numbers",
  date: "Date",
  card: "Card",
  cards: "Cards",
  reviews: "Reviews",
  forgotten: "Forgotten",
  share: "Share",
  stage: "Stage",
  stagesTitle: "How far the cards are",
  stagesHelp: "Young cards come back within three weeks, mature ones later.",
  stages: { new: "New", learning: "Learning", young: "Young", mature: "Mature" },
  calendarTitle: "Reviews a day, the last year",
  /** @type {(reviews: number, days: number) => string} */
  calendarSays: (reviews, days) => `${counted(reviews, "review")} on ${counted(days, "day")} of the last year.`,
  /** @type {(date: string, reviews: number) => string} */
  dayTitle: (date, reviews) => `${date}: ${counted(reviews, "review")}`,
  weekdays: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
  months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
  forecastTitle: "Cards due, the next 30 days",
  /** @type {(cards: number, most: number) => string} */
  forecastSays: (cards, most) =>
    cards === 0 ? "No card is due in the next 30 days." : `${counted(cards, "card")} in 30 days, at most ${most.toLocaleString("en")} on one.`,
  /** @type {(date: string, cards: number) => string} */
  dueTitle: (date, cards) => `${date}: ${counted(cards, "card")}`,
  retentionTitle: "Cards recalled",
  /** @type {(rate: string, recalled: number, reviews: number, days: number) => string} */
  retentionSays: (rate, recalled, reviews, days) =>
    `${rate} of the reviews of learned cards in ${days} days were recalled (${recalled} of ${reviews}).`,
  /** @type {(wish: string) => string} */
  noRetention: (wish) => `No learned card has come back yet. The aim is that ${wish} of them are recalled.`,
  /** @type {(wish: string) => string} */
  desired: (wish) => `desired: ${wish}`,
  recalledShare: "Recalled",
  desiredShare: "Desired",
  /** @type {(share: number) => string} */
  percent: (share) => `${Math.round(1000 * share) / 10} %`,
  hardestTitle: "Hardest cards",
  notBegun: "Once you have begun: your reviews day by day, what comes next, how much you recall, and what is hard.",
  noHardest: "No learned card was forgotten yet.",
  /** @type {(count: number) => string} */
  lapses: (count) => `forgotten ${count === 1 ? "once" : `${count} times`}`,
  explained: "; explained in ",
  lapsesHead: "Forgotten",
  difficulty: "Difficulty (1 to 10)",

  /** What each key does in a session: the key, then the words. */
  keyHelp: [
    ["Space", "show the answer (Enter too); then: Good"],
    ["1 – 4", "Again, Hard, Good, Easy"],
    ["← →", "from one rating to the next"],
    ["U", "undo the last step"],
    ["B", "bury the card until tomorrow"],
    ["S", "suspend the card"],
    ["O", "options"],
    ["Esc", "leave the session"],
    ["?", "show these keys"],
  ],
};
