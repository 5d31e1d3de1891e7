/**
 * `npm run test:cluster`: builds what is missing, starts a real Kubernetes node in namespaces of its own, runs this
 * folder's suite against it and takes everything away again. Arguments go to jest; `--hold` alone keeps the node up
 * until Ctrl-C instead, for work on the suite.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
require("../../scripts/typescript.cjs");
const { runSuite } = require("./node/run-suite.ts");

process.exitCode = await runSuite(process.argv.slice(2));
