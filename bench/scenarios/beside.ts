/** What a download, or a reader that has stalled, does to others of the same session. */
import type { EndlessDownloadOptions } from "../load/endless-download";
import type { GetResult } from "../load/get";
import { startLoad } from "../load/run-load";
import type { Path } from "../paths/path";
import { rowOf } from "../report/row";
import type { BenchOptions, Scenario } from "../scenario";
import { get } from "./requests";
import { inTurn, withThreePaths } from "./three-paths";

const scenario = "beside";

interface Beside {
  readonly alone: GetResult;
  readonly beside: GetResult;
}

export const beside: Scenario = {
  name: scenario,
  description: "GET 1 KiB beside a download at full speed, and beside a stalled reader",
  run: (options) =>
    withThreePaths(async (paths) => {
      const download = await inTurn(paths, options, (path) => getBeside(path, false, options));
      const stalled = await inTurn(paths, options, (path) => getBeside(path, true, options));
      return [
        rowOf(
          {
            scenario,
            what: "GET p50 beside a download",
            unit: "ms",
            against: "bare chain",
            target: { of: "ratio", atMost: 1 },
          },
          download.map(({ chain, tunnel }) => ({
            measured: tunnel.beside.p50Ms,
            reference: chain.beside.p50Ms,
          })),
        ),
        rowOf(
          { scenario, what: "GET p99 beside a download", unit: "ms", against: "bare chain" },
          download.map(({ chain, tunnel }) => ({
            measured: tunnel.beside.p99Ms,
            reference: chain.beside.p99Ms,
          })),
        ),
        rowOf(
          {
            scenario,
            what: "GET p99 beside a stalled reader",
            unit: "ms",
            against: "without it",
            target: { of: "ratio", atMost: 1.2 },
          },
          stalled.map(({ tunnel }) => ({ measured: tunnel.beside.p99Ms, reference: tunnel.alone.p99Ms })),
        ),
      ];
    }),
};

async function getBeside(path: Path, stalled: boolean, options: BenchOptions): Promise<Beside> {
  const alone = await get(path, 1, options);
  const { endpoint } = path;
  const load = await startLoad("endless-download", { endpoint, stalled } satisfies EndlessDownloadOptions);
  try {
    return { alone, beside: await get(path, 1, options) };
  } finally {
    await load.kill();
  }
}
