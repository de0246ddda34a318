// Lets the keyboard scroll a formula that is wider than its box, and no other be focused.
(() => {
  "use strict";
  const boxes = document.querySelectorAll(".katex-display");
  const update = () =>
    boxes.forEach((box) => {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  const observer = new ResizeObserver(update);
  boxes.forEach((box) => observer.observe(box));
  document.fonts.ready.then(update);
})();
