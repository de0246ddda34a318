// The packages that tests use live where the front end's package.json is.

import { createRequire } from "node:module";

const require = createRequire(new URL("../../../widgets/flipcards/package.json", import.meta.url));

/** @type {import("fast-check")} */
export const fc = require("fast-check");
export const fsrs = require("ts-fsrs");
