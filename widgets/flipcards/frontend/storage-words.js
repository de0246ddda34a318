// @ts-check
// Why progress is not kept, as a reader is told.

export const KEPT_NOT = {
  opening: "The browser has not opened its storage yet.",
  refused: "This browser lets the page keep nothing.",
  full: "The browser's storage is full.",
  failed: "The browser's storage does not work just now.",
};
