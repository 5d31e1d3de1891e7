/** Bytes a second through the tunnel alone, and what they cost the process in the middle. */
import { runLoad } from "../load/run-load";
import type { TransferOptions } from "../load/transfer";
import { startBareChain } from "../paths/bare-chain";
import type { Path } from "../paths/path";
import { onStage } from "../paths/stage";
import { startTarget } from "../paths/target";
import { startTunnel } from "../paths/tunnel";
import { rowOf, type Row, type RowHead } from "../report/row";
import { scaled, type BenchOptions, type Scenario } from "../scenario";

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
  name: "throughput",
  description: "bytes a second through the tunnel, CPU a GiB",
  run: (options) =>
    onStage(async (stage) => {
      const direct = await startTarget(stage);
      const paths = [direct, await startBareChain(stage, direct), await startTunnel(stage, direct)];
      const rows: Row[] = [];
      for (const shape of shapes) rows.push(...(await measureShape(paths, shape, options)));
      return rows;
    }),
};

async function measureShape(
  paths: readonly Path[],
  shape: (typeof shapes)[number],
  options: BenchOptions,
): Promise<Row[]> {
  const samples: [direct: Transfer, chain: Transfer, tunnel: Transfer][] = [];
  for (let run = 0; run < options.runs; run += 1) {
    const transfers: Transfer[] = [];
    for (const path of paths) transfers.push(await transfer(path, shape, options));
    samples.push(transfers as (typeof samples)[number]);
  }
  const what = `${shape.direction}, ${shape.streams === 1 ? "one stream" : `${String(shape.streams)} streams`}`;
  const head = (more: Omit<RowHead, "scenario">): RowHead => ({ scenario: "throughput", ...more });
  const speed = ({ mebibytesPerSecond }: Transfer) => mebibytesPerSecond;
  return [
    rowOf(
      head({ what, unit: "MiB/s", against: "bare chain", target: { of: "ratio", atLeast: 0.9 } }),
      samples.map(([, chain, tunnel]) => ({ measured: speed(tunnel), reference: speed(chain) })),
    ),
    rowOf(
      head({ what: `bare chain ${what}`, unit: "MiB/s", against: "direct TLS" }),
      samples.map(([direct, chain]) => ({ measured: speed(chain), reference: speed(direct) })),
    ),
    rowOf(
      head({
        what: `relay's CPU ${what}`,
        unit: "s/GiB",
        against: "bare middle",
        target: { of: "ratio", atMost: 1.15 },
      }),
      samples.map(([, chain, tunnel]) => ({
        measured: tunnel.cpu["relay"] ?? Number.NaN,
        reference: chain.cpu["middle"] ?? Number.NaN,
      })),
    ),
    rowOf(
      head({ what: `CPU of all three ${what}`, unit: "s/GiB", against: "bare chain" }),
      samples.map(([, chain, tunnel]) => ({ measured: sum(tunnel.cpu), reference: sum(chain.cpu) })),
    ),
  ];
}

const sum = (cpu: Readonly<Record<string, number>>) =>
  Object.values(cpu).reduce((total, seconds) => total + seconds, 0);

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
