/** Runs CI's steps in turn, goes on after a failure, and ends with `N passed, N failed` over tests and steps. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A step that hangs has failed: the closing line must come all the same. */
const stepTimeoutMs = 40 * 60_000;

const scratch = mkdtempSync(join(tmpdir(), "cluster-connect-ci-"));
const steps = [
  { command: ["npm", "ci"] },
  { command: ["npm", "test", "--"], counted: true },
  // With the step before, all of `npm run check`; the layers are a test.
  { command: ["npm", "run", "check:static"] },
  // After check:dist, for it runs what is in dist/. Its seed is new each time, and printed.
  { command: ["npm", "run", "fuzz", "--", "--seconds", "60"] },
  { command: ["npm", "run", "test:cluster", "--"], counted: true },
];

let passed = 0;
let failed = 0;
for (const [index, { command, counted }] of steps.entries()) {
  const report = join(scratch, `${index}.json`);
  const [program, ...rest] = counted ? [...command, "--json", `--outputFile=${report}`] : command;
  console.log(`\n=== ${command.join(" ")}`);
  const started = Date.now();
  // jest prints its JSON on stdout beside the file: only its human report, on stderr, belongs in the log.
  const { status } = spawnSync(program, rest, {
    stdio: ["ignore", counted ? "ignore" : "inherit", "inherit"],
    timeout: stepTimeoutMs,
  });
  const tests = counted ? countTests(report) : { passed: 0, failed: 0 };
  passed += tests.passed + (status === 0 ? 1 : 0);
  failed += tests.failed + (status === 0 ? 0 : 1);
  console.log(`=== exit ${status} after ${Math.round((Date.now() - started) / 1000)} s`);
  if (status !== 0 && command.includes("ci")) break;
}
rmSync(scratch, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function countTests(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
    // A run that skipped tests, or ran none, has not shown what it claims.
    return {
      passed: numPassedTests,
      failed: numFailedTests + numPendingTests + (numPassedTests === 0 ? 1 : 0),
    };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
