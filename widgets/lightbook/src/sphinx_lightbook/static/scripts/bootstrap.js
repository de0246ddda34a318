// Loads Bootstrap when the reader first reaches what needs it: a tooltip, the button of a menu, the way back up.
(() => {
  "use strict";

  const source = /** @type {any} */ (document.currentScript).dataset.bootstrap;
  /** @type {Promise<void> | null | undefined} */
  let loading;
  let loaded = false;
  /** @type {HTMLElement | false | null | undefined} What was clicked last before Bootstrap was there. */
  let waiting;

  const load = () =>
    (loading ??= new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = source;
      // After it came, Bootstrap sets up its tooltips in a task of its own.
      script.onload = () =>
        setTimeout(() => {
          loaded = true;
          resolve();
          if (waiting) waiting.click();
        });
      // It did not come: what is reached next asks again.
      script.onerror = () => (loading = waiting = null);
      document.head.append(script);
    }));

  /** @type {(target: any) => HTMLElement | null | undefined} */
  const control = (target) => target.closest?.("[data-bs-toggle]"); // the document has no such method

  // A finger that comes down is a pointer over it, too.
  for (const name of ["pointerover", "focusin"]) {
    document.addEventListener(
      name,
      (event) => {
        const wanted = control(event.target);
        if (!wanted || loaded) return;
        void load().then(() => {
          // The event that Bootstrap would have shown the tooltip on is over.
          const there = wanted.matches(":hover, :focus-visible");
          // @ts-expect-error Bootstrap is there now
          if (there) bootstrap.Tooltip.getInstance(wanted)?.show();
        });
      },
      true,
    );
  }

  // A click or a key that comes before Bootstrap is made again when it is there: once, however often who waits
  // clicks, and not where the reader has gone on to something else.
  document.addEventListener(
    "click",
    (event) => {
      const wanted = control(event.target);
      waiting = !loaded && wanted?.dataset.bsToggle !== "tooltip" && wanted;
      if (!waiting) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      void load();
    },
    true,
  );

  // The button that leads back to the top, which the theme shows to who scrolls up, is in the same file.
  let before = 0; // asked of the browser, it would lay out the whole page for the answer
  const scrolled = () => {
    if (scrollY < before) {
      removeEventListener("scroll", scrolled);
      void load();
    }
    before = scrollY;
  };
  if (document.getElementById("pst-back-to-top")) addEventListener("scroll", scrolled, { passive: true });
})();
