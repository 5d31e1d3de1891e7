/**
 * `node bench/process.cjs MODULE`: runs the exported `run` of one TypeScript module of this folder as a process of
 * its own. Its options come as JSON over stdin; what `run` resolves with is printed as one line of JSON.
 */
require("../scripts/typescript.cjs");
const { join } = require("node:path");

const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.once("end", async () => {
  const { run } = require(join(__dirname, `${process.argv[2]}.ts`));
  console.log(JSON.stringify({ ready: true, ...(await run(JSON.parse(Buffer.concat(chunks).toString()))) }));
});
