/** Mutated requests and frames against the shipped bundles: `npm run fuzz -- [--seconds N] [--seed S]`. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (/^\d+$/.test(value)) continue;
  console.error(`--${name} is a number, not ${JSON.stringify(value)}`);
  process.exit(2);
}
console.log(`fuzzing for ${values.seconds} s with --seed ${values.seed}`);
const jest = join(root, "node_modules/jest/bin/jest.js");
// One at a time: the bound is one of wall-clock time, and the suites share it.
const { status } = spawnSync(process.execPath, [jest, "test/attacks/fuzz-", "--runInBand"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, FUZZ_SECONDS: values.seconds, FUZZ_SEED: values.seed },
});
process.exitCode = status ?? 1;
