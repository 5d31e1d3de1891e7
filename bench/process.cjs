/**
 * `node bench/process.cjs MODULE`: runs the exported `run` of one TypeScript module of this folder as a process of
 * its own. Its options come as JSON over stdin; what `run` resolves with is printed as one line of JSON. Questions
 * that come later over IPC go to the exported `answer`.
 */
require("../scripts/typescript.cjs");
const { join } = require("node:path");

const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.once("end", async () => {
  const { run, answer } = require(join(__dirname, `${process.argv[2]}.ts`));
  process.on("message", async (question) => process.send(await answer(question)));
  console.log(JSON.stringify({ ready: true, ...(await run(JSON.parse(Buffer.concat(chunks).toString()))) }));
});
