// @ts-nocheck
// For pages with hostile cards: notes what runs, uses every element of the cards, and looks at the page around them.
// It is injected into each frame before anything else runs.

(() => {
  const ran = [];
  try {
    top.ran ??= ran;
  } catch {
    return; // a frame of another origin: what it does shows as a request or as a dialog
  }
  for (const name of ["alert", "confirm", "print", "prompt", "open"]) {
    window[name] = (...args) => void top.ran.push([name, ...args.map(String)]);
  }

  const EVENTS = [
    ...["animationstart", "beforetoggle", "blur", "click", "error", "focus", "input", "load", "keydown"],
    ...["mouseenter", "mouseover", "pointerdown", "pointerenter", "scroll", "start", "submit", "toggle", "wheel"],
  ];
  const EDGE = 12; // px: what the cards' own style lets a shadow, or the number of a list, reach over
  const sections = () => [...document.querySelectorAll("section.flipcards")];
  const inCards = (element) => element?.closest?.("section.flipcards") ?? null;

  window.probe = {
    /** Follows every link of the cards, but mail, which would start another program; waits for what that starts. */
    async followLinks() {
      const links = document.querySelectorAll("details a:not([href^='mailto:' i])");
      for (const link of links) {
        link.click();
        await new Promise((done) => setTimeout(done)); // the next click would end what this one has begun
      }
      return links.length;
    },

    /** Tells every element of the cards of a click and of other events, as far as handlers of its own go; how many. */
    useEverything() {
      const elements = sections().flatMap((section) => [...section.querySelectorAll("details *")]);
      // In the page, the browser would lay it out for each click.
      for (const section of sections()) section.remove();
      for (const element of elements) {
        for (const type of EVENTS) element.dispatchEvent(new Event(type, { bubbles: false }));
      }
      return elements.length;
    },

    /** Opens or closes every card, by its own control. */
    turn(open) {
      for (const card of document.querySelectorAll("details.flipcard")) {
        if (card.open !== open) card.querySelector("summary").click();
      }
    },

    /** What the cards could run, load, name or restyle, as far as the document says it. */
    suspicious() {
      const found = [];
      const harmful =
        "script, style, link, meta, base, iframe, frame, object, embed, form, input, select, textarea, " +
        "template, dialog, audio, video, portal, foreignObject, maction, animate, set, use, title, noscript";
      for (const element of sections().flatMap((section) => [...section.querySelectorAll("details, details *")])) {
        const says = element.outerHTML.slice(0, 200);
        if (element.matches(harmful)) found.push(says);
        for (const { name, value } of element.attributes) {
          const isHome = element.matches("details.flipcard") && value === `card-${element.dataset.card}`;
          const isNumber = /^id\d+$/.test(value); // what docutils calls a place of an error; no text chooses it
          const named = name === "name" || (name === "id" && !isHome && !isNumber);
          const leads = /(^|:)(href|src|action|formaction|data|ping|srcdoc|srcset|poster|background)$/.test(name);
          const isAddress = /^(https?:|mailto:|#|[\w./-]+(#[\w-]+)?$|data:image\/(png|jpeg|gif|webp|svg\+xml);base64)/i;
          if (name.startsWith("on") || named || (leads && !isAddress.test(value))) found.push(says);
        }
        if (["fixed", "sticky"].includes(getComputedStyle(element).position)) found.push(`${says} leaves its place`);
      }
      return found;
    },

    /** What a reader has of the page without the cards; the same on a page with harmless cards. */
    surroundings() {
      const outside = [...document.querySelectorAll("*")].filter((element) => !inCards(element));
      const ids = outside.map((element) => element.id).filter(Boolean);
      const seen = {
        title: document.title,
        ids: ids.join(" "),
        clobbered: ids.filter((id) => inCards(document.getElementById(id)) || inCards(window[id])).join(" "),
        globals: Object.keys(window).filter((name) => inCards(window[name])).join(" "),
        sheets: document.styleSheets.length,
        width: document.documentElement.scrollWidth,
      };
      for (const selector of ["html", "body", "h1", "#before", "#after"]) {
        const element = document.querySelector(selector);
        const style = getComputedStyle(element);
        for (const name of style) {
          // These follow from how long the cards are.
          if (!/block-size|height|origin|inset|top|bottom/.test(name)) {
            seen[`${selector} ${name}`] = style.getPropertyValue(name);
          }
        }
        const { left, width } = element.getBoundingClientRect();
        seen[`${selector} at`] = [left, width].join(" ");
      }
      return { ...seen, before: document.querySelector("#before").innerHTML, after: document.querySelector("#after").innerHTML };
    },

    /** Scrolls along the page and returns the elements of cards that are met more than a little outside their section. */
    async covering() {
      const found = [];
      const wait = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        scrollTo({ top: y, behavior: "instant" });
        await wait();
        const boxes = sections().map((section) => section.getBoundingClientRect());
        const isIn = (b, x, y) => x >= b.left - EDGE && x <= b.right + EDGE && y >= b.top - EDGE && y <= b.bottom + EDGE;
        const isInside = (x, y) => boxes.some((box) => isIn(box, x, y));
        for (let x = 5; x < innerWidth; x += 160) {
          for (let y = 5; y < innerHeight; y += 60) {
            if (isInside(x, y)) continue;
            const met = document.elementFromPoint(x, y);
            if (inCards(met)) found.push(`${met.outerHTML.slice(0, 200)} at ${x}, ${y + scrollY}`);
          }
        }
      }
      for (const selector of ["#before", "#after"]) {
        const element = document.querySelector(selector);
        element.scrollIntoView({ block: "center", behavior: "instant" });
        await wait();
        const { left, top, width, height } = element.getBoundingClientRect();
        const met = document.elementFromPoint(left + Math.min(width, 20) / 2, top + height / 2);
        if (!element.contains(met)) found.push(`${selector} lies under ${met?.outerHTML.slice(0, 200)}`);
      }
      return found;
    },
  };
})();
