/** Bytes a second through the tunnel alone, and what they cost the process in the middle. */
import { runLoad } from "../load/run-load";
import type { TransferOptions } from "../load/transfer";
import type { Path } from "../paths/path";
import { rowOf, type Row } from "../report/row";
import { scaled, type BenchOptions, type Scenario } from "../scenario";
import { inTurn, withThreePaths, type OfEach } from "./three-paths";

const scenario = "throughput";
const mebibyte = 1_048_576;
const transferBytes = 512 * mebibyte;
const shapes = [
  { direction: "down", streams: 1 },
  { direction: "down", streams: 8 },
  { direction: "up", streams: 1 },
  { direction: "up", streams: 8 },
] as const;

export interface Transfer {
  readonly mebibytesPerSecond: number;
  /** CPU seconds a GiB, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

export const throughput: Scenario = {
  name: scenario,
  description: "bytes a second through the tunnel, CPU seconds a GiB",
  run: (options) =>
    withThreePaths(async (paths) => {
      const rows: Row[] = [];
      // Not counted: code is compiled and windows find their size during the first hundreds of megabytes.
      for (const direction of ["down", "up"] as const) {
        await inTurn(paths, { ...options, runs: 1 }, (path) =>
          transfer(path, { direction, streams: 1 }, options),
        );
      }
      for (const shape of shapes) {
        const what = `${shape.direction}, ${shape.streams === 1 ? "1 stream" : `${String(shape.streams)} streams`}`;
        rows.push(...rowsOf(what, await inTurn(paths, options, (path) => transfer(path, shape, options))));
      }
      return rows;
    }),
};

function rowsOf(what: string, results: readonly OfEach<Transfer>[]): Row[] {
  const speed = ({ mebibytesPerSecond }: Transfer) => mebibytesPerSecond;
  const cpu = (head: object, of: (transfer: Transfer) => number) =>
    rowOf(
      { scenario, what: `CPU ${what}`, unit: "s/GiB", against: "bare chain", ...head },
      results.map(({ chain, tunnel }) => ({ measured: of(tunnel), reference: of(chain) })),
    );
  return [
    rowOf(
      { scenario, what, unit: "MiB/s", against: "bare chain", target: { of: "ratio", atLeast: 0.9 } },
      results.map(({ chain, tunnel }) => ({ measured: speed(tunnel), reference: speed(chain) })),
    ),
    rowOf(
      { scenario, what: `bare chain ${what}`, unit: "MiB/s", against: "direct TLS" },
      results.map(({ direct, chain }) => ({ measured: speed(chain), reference: speed(direct) })),
    ),
    cpu(
      { what: `relay's CPU ${what}`, against: "bare middle", target: { of: "ratio", atMost: 1.15 } },
      ({ cpu: { relay, middle } }) => relay ?? middle ?? Number.NaN,
    ),
    cpu(
      { what: `client proxy's CPU ${what}` },
      (of) => of.cpu["client proxy"] ?? of.cpu["first"] ?? Number.NaN,
    ),
    cpu({ what: `agent's CPU ${what}` }, ({ cpu: { agent, last } }) => agent ?? last ?? Number.NaN),
  ];
}

export async function transfer(
  { endpoint, processes }: Path,
  shape: Pick<TransferOptions, "direction" | "streams">,
  options: BenchOptions,
): Promise<Transfer> {
  const bytes = scaled(transferBytes, options);
  const before = Object.values(processes).map((process) => process.cpuSeconds());
  const { seconds } = await runLoad<{ seconds: number }>("transfer", { endpoint, bytes, ...shape });
  const cpu = Object.entries(processes).map(([name, process], at) => [
    name,
    ((process.cpuSeconds() - (before[at] ?? Number.NaN)) / bytes) * 1_024 * mebibyte,
  ]);
  return {
    mebibytesPerSecond: bytes / mebibyte / seconds,
    cpu: Object.fromEntries(cpu) as Record<string, number>,
  };
}
