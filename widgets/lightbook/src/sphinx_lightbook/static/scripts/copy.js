// What the copy buttons ask of clipboard.js, in a tenth of its size.
"use strict";
class ClipboardJS {
  /**
   * @param {string} selector  Of the buttons.
   * @param {{text: (trigger: Element) => string}} options  What a button copies.
   */
  constructor(selector, { text }) {
    /** @type {Record<string, ((event: {trigger: Element}) => void) | undefined>} */
    this.told = {};
    document.addEventListener("click", ({ target }) => {
      const trigger = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(selector)) : null;
      if (!trigger) return;
      // From a selection: the newer way is refused to pages of a plain http host.
      const area = document.createElement("textarea");
      area.value = text(trigger);
      area.readOnly = true;
      area.style.cssText = `position:absolute;left:-9999px;top:${scrollY}px;font-size:12pt`;
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      trigger.focus({ preventScroll: true });
      this.told[copied ? "success" : "error"]?.({ trigger });
    });
  }

  /**
   * @param {string} name  "success" or "error".
   * @param {(event: {trigger: Element}) => void} tell
   */
  on(name, tell) {
    this.told[name] = tell;
  }
}
// Where the copy buttons look for it: a class by itself is no property of the window.
Object.assign(globalThis, { ClipboardJS });
