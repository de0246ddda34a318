// Bundles the front end: `npm run build` writes static/cards.js, study.js and flipbook.js (pages), flipcards.js
// (the widget) and schedule.js (Python's engine). A folder as argument takes their place: `node frontend/build.js FOLDER`.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const outdir = process.argv[2] ?? fileURLToPath(new URL("../src/flipcards/static", import.meta.url));

const bundles = [
  // Runs as a module and as a plain deferred script alike: a browser refuses modules to a page opened as a file.
  { entry: "page.js", name: "cards", format: "iife" },
  // Loaded by cards.js at first use, and by the Today page at once.
  { entry: "study-page.js", name: "study", format: "iife" },
  { entry: "flipbook.js", name: "flipbook", format: "iife" },
  // anywidget imports its default export.
  { entry: "widget.js", name: "flipcards", format: "esm" },
  // Python's engine calls what its global has.
  { entry: "engine.js", name: "schedule", format: "iife", globalName: "flipcardsSchedule" },
];

/** ts-fsrs adds methods to every Date of the page when it is imported. Nothing here calls them. */
const PATCH = /^(?:\/\* istanbul ignore next -- @preserve \*\/\n)?Date\.prototype\.\w+ = function\([^)]*\) \{\n.*\n\};\n/gm;

/**
 * Takes from a bundled package what it may not bring along, and adds the licence that it has to.
 *
 * @type {import("esbuild").Plugin}
 */
const packages = {
  name: "packages",
  setup({ onLoad }) {
    onLoad({ filter: /node_modules/ }, async ({ path }) => {
      const [folder, name] = /** @type {RegExpExecArray} */ (/^.*[\\/]node_modules[\\/]([^\\/]+)/.exec(path));
      const text = (await readFile(path, "utf8")).replace(PATCH, "");
      if (text.includes("Date.prototype")) {
        throw new Error(`${path} changes Date.prototype in a way that build.js does not know; adapt PATCH there`);
      }
      const licence = await readFile(`${folder}/LICENSE`, "utf8");
      return { contents: `/*! ${name}\n\n${licence.trim()}\n*/\n${text}` };
    });
  },
};

for (const { entry, name, format, globalName } of bundles) {
  await build({
    absWorkingDir: here,
    banner: { js: '/* Generated from frontend/ by "npm run build": do not edit. MIT licence. */' },
    bundle: true,
    charset: "utf8",
    entryPoints: { [name]: entry },
    format,
    globalName,
    legalComments: "inline",
    logLevel: "warning",
    minify: true,
    outdir,
    plugins: [packages],
    target: ["chrome111", "firefox113", "safari16.4"],
  });
}
