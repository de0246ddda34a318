// Bundles the front end: `npm run build` writes static/cards.js, study.js and flipbook.js (pages), flipcards.js
// (the widget) and schedule.js (Python's engine). A folder as argument takes their place: `node frontend/build.js FOLDER`.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const outdir = process.argv[2] ?? fileURLToPath(new URL("../src/flipcards/static", import.meta.url));

const target = ["chrome111", "firefox113", "safari16.4"];

const bundles = [
  // Runs as a module and as a plain deferred script alike: a browser refuses modules to a page opened as a file.
  { entry: "page.js", name: "cards", format: "iife", words: ["page"] },
  // Loaded by cards.js at first use, and by the Today page at once.
  { entry: "study-page.js", name: "study", format: "iife", words: ["study", "today", "interval", "kept", "file"] },
  { entry: "flipbook.js", name: "flipbook", format: "iife", words: ["flipbook"] },
  // anywidget imports its default export.
  { entry: "widget.js", name: "flipcards", format: "esm", words: ["page", "study", "interval", "kept", "file", "live"] },
  // Python's engine calls what its global has.
  { entry: "engine.js", name: "schedule", format: "iife", globalName: "flipcardsSchedule", words: ["interval", "file"] },
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

/**
 * Leaves in the catalogue what a bundle shows.
 *
 * @param {string[]} sections
 * @returns {import("esbuild").Plugin}
 */
const only = (sections) => ({
  name: "words",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]words[\\/]en\.json$/ }, async ({ path }) => {
      const all = JSON.parse(await readFile(path, "utf8"));
      const kept = Object.fromEntries(["language", ...sections].map((name) => [name, all[name]]));
      return { contents: JSON.stringify(kept), loader: "json" };
    });
  },
});

/**
 * A style sheet as a text, in fewer bytes.
 *
 * @type {import("esbuild").Plugin}
 */
const sheets = {
  name: "sheets",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

for (const { entry, name, format, globalName, words } of bundles) {
  await build({
    absWorkingDir: here,
    banner: { js: '/* Generated from frontend/: do not edit. MIT licence. */' },
    bundle: true,
    charset: "utf8",
    entryPoints: { [name]: entry },
    format,
    globalName,
    legalComments: "inline",
    logLevel: "warning",
    minify: true,
    outdir,
    plugins: [packages, only(words), sheets],
    target,
  });
}
