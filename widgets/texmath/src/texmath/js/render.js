// One formula in, its HTML or its fault out; called by rendering.py after katex.min.js.

// 20 em in each of TeX's units. KaTeX's maxSize caps positive sizes only, and silently.
var MAX_EM = 20;
var UNITS_PER_EM = {
  em: 1, ex: 2.32, mu: 18, pt: 10, px: 10, bp: 10, dd: 9.4, nd: 9.4, mm: 3.52, cm: 0.352, in: 0.139, pc: 0.834,
  cc: 0.779, nc: 0.781, sp: 655360,
};

// Of a whole formula: rows or \arraystretch can make it endless. KaTeX writes each part's height on its strut.
var MAX_HEIGHT_EM = 400;
var HEIGHT = /class="katex-strut" style="height:([0-9.e+]+)em/g;

// The first size in KaTeX's parse tree that is beyond MAX_EM, as TeX writes it, or null.
function oversized(node) {
  if (node === null || typeof node !== "object") return null;
  if (typeof node.number === "number" && typeof node.unit === "string") {
    const within = Math.abs(node.number) <= MAX_EM * (UNITS_PER_EM[node.unit] || 1);
    return within ? null : node.number + node.unit;
  }
  for (const key of Object.keys(node)) {
    const found = key === "loc" ? null : oversized(node[key]);
    if (found) return found;
  }
  return null;
}

function renderFormula(tex, display, macros, output) {
  // New objects for each formula: \gdef writes into `macros`.
  const settings = () => ({
    displayMode: display,
    output: output,
    macros: Object.assign({}, macros),
    throwOnError: true,
    trust: false,
    strict: false,
    maxSize: MAX_EM,
    maxExpand: 1000,
  });
  try {
    const size = oversized(katex.__parse(tex, settings()));
    if (size) return { message: "Size " + size + " is beyond " + MAX_EM + " em" };
    // In the MathML of a row with a \tag KaTeX counts the row instead, and would read out a wrong number.
    const html = katex.renderToString(tex, settings()).replaceAll('<mtd class ="mml-eqn-num">', "<mtd>");
    const height = Math.max(0, ...Array.from(html.matchAll(HEIGHT), (match) => Number(match[1])));
    if (height > MAX_HEIGHT_EM) {
      return { message: "The formula is " + Math.round(height) + " em high, more than " + MAX_HEIGHT_EM };
    }
    return { html: html };
  } catch (error) {
    if (!(error instanceof katex.ParseError)) throw error;
    return { message: error.rawMessage, position: error.position };
  }
}
