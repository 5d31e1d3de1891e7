/** A thousand idle watches through one session: what each costs each process, and how soon all of them hear. */
import { startLoad } from "../load/run-load";
import type { WatchesOptions } from "../load/watches";
import { median } from "../measure/statistics";
import type { Path } from "../paths/path";
import { rowOf, type Row, type Sample } from "../report/row";
import { scaled, type BenchOptions, type Scenario } from "../scenario";
import { withThreePaths, type ThreePaths } from "./three-paths";

const scenario = "watches";
const crowd = 1_000;
const events = 5;

interface Crowd {
  /** KiB a watch that a process has grown by. */
  readonly kibibytes: Readonly<Record<string, number>>;
  readonly toLastMs: number;
}

export const watches: Scenario = {
  name: scenario,
  description: "1,000 idle watches through one session: KiB a watch; an event to the last",
  async run(options) {
    const runs: { chain: Crowd; tunnel: Crowd }[] = [];
    // New processes each time: memory that was once used is not given back.
    for (let run = 0; run < options.runs; run += 1) {
      runs.push(
        await withThreePaths(async (paths) => ({
          chain: await watchThrough(paths.chain, paths, options),
          tunnel: await watchThrough(paths.tunnel, paths, options),
        })),
      );
    }
    const compare = (what: string, unit: string, of: (crowd: Crowd, place: 0 | 1) => number): Row =>
      rowOf(
        { scenario, what, unit, against: "bare chain" },
        runs.map(({ chain, tunnel }): Sample => ({ measured: of(tunnel, 0), reference: of(chain, 1) })),
      );
    const places = [
      ["client proxy", "first"],
      ["relay", "middle"],
      ["agent", "last"],
    ] as const;
    return [
      ...places.map((names) =>
        compare(
          `${names[0]}, a watch`,
          "KiB",
          ({ kibibytes }, place) => kibibytes[names[place]] ?? Number.NaN,
        ),
      ),
      compare("one event to the last", "ms", ({ toLastMs }) => toLastMs),
    ];
  },
};

async function watchThrough(
  { endpoint, processes }: Path,
  { direct }: ThreePaths,
  options: BenchOptions,
): Promise<Crowd> {
  const count = scaled(crowd, options);
  const before = Object.values(processes).map((process) => process.residentKiB());
  const load = await startLoad("watches", {
    endpoint,
    direct: direct.endpoint,
    watches: count,
  } satisfies WatchesOptions);
  const grown = Object.entries(processes).map(([name, process], at) => [
    name,
    (process.residentKiB() - (before[at] ?? Number.NaN)) / count,
  ]);
  const times: number[] = [];
  for (let event = 0; event < events; event += 1) times.push((await load.ask("event")) as number);
  await load.kill();
  return { kibibytes: Object.fromEntries(grown) as Record<string, number>, toLastMs: median(times) };
}
