import { parseArgs } from "node:util";
import type { Scenario } from "./scenario";

export interface Arguments {
  readonly scenarios: readonly Scenario[];
  readonly runs: number;
  readonly scale: number;
  readonly json: string | undefined;
  readonly markdown: boolean;
}

export const usage = (known: readonly Scenario[]): string =>
  `usage: npm run bench -- [SCENARIO…] [--runs N] [--scale X] [--json FILE] [--markdown]\n\n${known
    .map(({ name, description }) => `  ${name.padEnd(14)} ${description}`)
    .join("\n")}\n`;

/** Throws a TypeError or RangeError that says which argument is wrong. */
export function readArguments(args: readonly string[], known: readonly Scenario[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "3" },
      scale: { type: "string", default: "1" },
      json: { type: "string" },
      markdown: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.filter((name) => !known.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new RangeError(`no scenario is named ${unknown.join(", ")}`);
  const runs = Number(values.runs);
  const scale = Number(values.scale);
  if (!Number.isInteger(runs) || runs < 1 || runs > 99) throw new RangeError("--runs wants 1 to 99");
  if (!(scale > 0 && scale <= 10)) throw new RangeError("--scale wants more than 0 and at most 10");
  return {
    scenarios: positionals.length === 0 ? known : known.filter(({ name }) => positionals.includes(name)),
    runs,
    scale,
    json: values.json,
    markdown: values.markdown,
  };
}
