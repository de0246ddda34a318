// Bundles the front end: `npm run build` writes static/cards.js and static/flipbook.js (pages), and
// static/flipcards.js (the widget).
// A folder as argument takes their place: `node frontend/build.js FOLDER`.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const outdir = process.argv[2] ?? fileURLToPath(new URL("../src/flipcards/static", import.meta.url));

const bundles = [
  // Runs as a module and as a plain deferred script alike: a browser refuses modules to a page opened as a file.
  { entry: "page.js", name: "cards", format: "iife" },
  { entry: "flipbook.js", name: "flipbook", format: "iife" },
  // anywidget imports its default export.
  { entry: "widget.js", name: "flipcards", format: "esm" },
];

for (const { entry, name, format } of bundles) {
  await build({
    absWorkingDir: here,
    banner: { js: '/* Generated from frontend/ by "npm run build": do not edit. MIT licence. */' },
    bundle: true,
    charset: "utf8",
    entryPoints: { [name]: entry },
    format,
    legalComments: "inline",
    logLevel: "warning",
    minify: true,
    outdir,
    target: ["chrome111", "firefox113", "safari16.4"],
  });
}
