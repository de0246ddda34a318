// @ts-nocheck
// Injected into each measured page before anything else runs. A tool is known by the selectors of its parts:
// `card` (the first one), `question` and `answer` within it, and `ready`, there once the front end is in place.

(() => {
  const tasks = [];
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) tasks.push(task.duration);
  }).observe({ type: "longtask", buffered: true });

  const frame = () => new Promise((done) => requestAnimationFrame(done));

  /** From a frame's callback: until that frame is painted. Before what else waits, which is none of its work. */
  const painted = () => scheduler.postTask(() => {}, { priority: "user-blocking" });

  /** Whether a hit test in the middle of a card, anywhere from top to bottom, reaches a part of it. */
  const reaches = (card, part) => {
    const { left, top, width, height } = card.getBoundingClientRect();
    for (let y = 0.05; y < 1; y += 0.1) {
      const met = document.elementFromPoint(left + width / 2, top + height * y);
      if (met && card.contains(met) && met.closest(part)) return true;
    }
    return false;
  };

  window.bench = {
    /** The longest task of the main thread since the last call, in ms; 0: none took 50 ms. */
    longestTask() {
      return Math.max(0, ...tasks.splice(0));
    },

    /** When the first card is painted and can be turned, in ms since `from` on the clock of the page. */
    async firstCard({ card, question, ready }, from = 0) {
      for (;;) {
        await frame();
        const first = document.querySelector(card);
        if (!first || !document.querySelector(ready) || !reaches(first, question)) continue;
        await painted();
        return performance.now() - from;
      }
    },

    /** The same, since a key is pressed. */
    firstCardAfterKey(parts, key) {
      return new Promise((done) => {
        const pressed = (event) => {
          if (event.key !== key) return;
          removeEventListener("keydown", pressed, { capture: true });
          done(window.bench.firstCard(parts, event.timeStamp));
        };
        addEventListener("keydown", pressed, { capture: true });
      });
    },

    /** Waits until the main thread has been idle for half a second, at most 20 seconds. */
    async quiet() {
      const idle = () => new Promise((done) => requestIdleCallback(done));
      const end = performance.now() + 20_000;
      for (let since = performance.now(); performance.now() - since < 500 && performance.now() < end; ) {
        const before = performance.now();
        await frame();
        await idle();
        if (performance.now() - before > 50) since = performance.now();
      }
    },

    /**
     * Waits for the next click. Returns ms and frames from it to the first frame in which the answer is reached.
     * `from` is the event's own time, so that what delays the handlers counts.
     */
    answered({ card, answer }) {
      const first = document.querySelector(card);
      return new Promise((done) => {
        const clicked = async (event) => {
          for (let frames = 1; ; frames++) {
            await frame();
            if (reaches(first, answer)) return done({ ms: performance.now() - event.timeStamp, frames });
          }
        };
        addEventListener("click", clicked, { capture: true, once: true });
      });
    },
  };
})();
