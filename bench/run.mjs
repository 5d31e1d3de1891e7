/** `npm run bench`: see README.md in this folder. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
require("../scripts/typescript.cjs");
const { main } = require("./main.ts");

process.exitCode = await main(process.argv.slice(2));
