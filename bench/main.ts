/** Runs the scenarios that were asked for, prints a table, writes what else was asked for. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readArguments, usage, type Arguments } from "./arguments";
import { describeMachine, machineLine } from "./report/machine";
import { replaceBetweenMarks } from "./report/readme";
import type { Row } from "./report/row";
import { renderTable } from "./report/table";
import { scenarios } from "./scenarios";

/** Resolves with the exit code: 0 also when targets were missed, since a figure is not a defect. */
export async function main(args: readonly string[]): Promise<number> {
  let chosen: Arguments;
  try {
    chosen = readArguments(args, scenarios);
  } catch (error) {
    process.stderr.write(`${String(error)}\n\n${usage(scenarios)}`);
    return 2;
  }
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  // What was started ends with this process, also when that ends early.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const machine = describeMachine();
  const rows: Row[] = [];
  for (const scenario of chosen.scenarios) {
    progress(`${scenario.name}: ${scenario.description}`);
    rows.push(...(await scenario.run({ ...chosen, progress })));
  }
  const report = `${machineLine(machine)} Medians of ${String(chosen.runs)}.\n\n${renderTable(rows)}`;
  process.stdout.write(`\n${report}\n`);
  const { runs, scale } = chosen;
  if (chosen.json !== undefined) {
    writeFileSync(chosen.json, `${JSON.stringify({ machine, runs, scale, rows }, undefined, 2)}\n`);
  }
  if (chosen.markdown) replaceBetweenMarks(join(__dirname, "README.md"), report);
  return 0;
}
