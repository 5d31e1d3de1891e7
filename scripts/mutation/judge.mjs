/** Runs one attack file against programs, and says which of them it noticed. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";

/**
 * `programs` are `[name, path]`, names `m<number>`. Resolves with a map from names to what noticed them, undefined for
 * those that nothing did. One that hangs has been noticed as well; those behind it have no verdict.
 */
export function judge(attack, programs, { verdicts, timeoutMs }) {
  rmSync(verdicts, { force: true });
  const jest = [
    "node_modules/jest/bin/jest.js",
    ...["--runInBand", "--silent", "--env", "./scripts/mutation/judge-environment.cjs"],
    ...["--testTimeout", "8000", "--forceExit", "--runTestsByPath", `test/attacks/${attack}.test.ts`],
  ];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, jest, {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, TEST_NODES: JSON.stringify(programs), VERDICTS: verdicts },
    });
    let output = "";
    child.stderr.on("data", (chunk) => (output += chunk));
    let isTimeOver = false;
    const timer = setTimeout(() => {
      isTimeOver = true;
      process.kill(-child.pid, "SIGKILL");
    }, timeoutMs);
    child.once("exit", () => {
      clearTimeout(timer);
      try {
        // What a jest that was killed has started outlives it.
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // Nobody was left.
      }
      const found = readVerdicts(verdicts);
      const hanging = programs.find(([name]) => !found.has(name));
      if (isTimeOver && hanging !== undefined) found.set(hanging[0], "time is over");
      if (!isTimeOver && hanging !== undefined) throw new Error(`no verdict for ${hanging[0]}:\n${output}`);
      resolve(found);
    });
  });
}

function readVerdicts(file) {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  return new Map(lines.map((line) => JSON.parse(line)).map(({ program, noticedBy }) => [program, noticedBy]));
}
