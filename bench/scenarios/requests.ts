/** Small requests on kept connections, and connections that are new. */
import type { GetOptions, GetResult } from "../load/get";
import type { NewConnectionsOptions } from "../load/new-connections";
import { runLoad } from "../load/run-load";
import type { Path } from "../paths/path";
import { rowOf, type Row } from "../report/row";
import { scaled, type BenchOptions, type Scenario } from "../scenario";
import { inTurn, withThreePaths } from "./three-paths";

const scenario = "requests";
const durationMs = 2_000;
const crowds = [
  { connections: 1, atMost: 1.3 },
  { connections: 16, atMost: 0.9 },
  { connections: 128, atMost: 0.9 },
] as const;

export const requests: Scenario = {
  name: scenario,
  description: "GET 1 KiB on 1, 16 and 128 kept connections; new TLS connections a second",
  run: (options) =>
    withThreePaths(async (paths) => {
      const rows: Row[] = [];
      // Not counted: every process compiles what it uses while the first thousands pass.
      await inTurn(paths, { ...options, runs: 1 }, (path) => get(path, 16, options));
      for (const { connections, atMost } of crowds) {
        const results = await inTurn(paths, options, (path) => get(path, connections, options));
        rows.push(
          rowOf(
            {
              scenario,
              what: `GET p50, ${String(connections)} kept connection${connections === 1 ? "" : "s"}`,
              unit: "ms",
              against: "bare chain",
              target: { of: "ratio", atMost },
            },
            results.map(({ chain, tunnel }) => ({ measured: tunnel.p50Ms, reference: chain.p50Ms })),
          ),
        );
      }
      const results = await inTurn(paths, options, ({ endpoint }) =>
        runLoad<{ perSecond: number }>("new-connections", {
          endpoint,
          concurrency: 8,
          durationMs: scaled(durationMs, options),
        } satisfies NewConnectionsOptions),
      );
      const head = { scenario, what: "new TLS connections", unit: "/s" };
      rows.push(
        rowOf(
          { ...head, against: "bare chain", target: { of: "ratio", atLeast: 3 } },
          results.map(({ chain, tunnel }) => ({ measured: tunnel.perSecond, reference: chain.perSecond })),
        ),
        rowOf(
          { ...head, against: "direct TLS" },
          results.map(({ direct, tunnel }) => ({ measured: tunnel.perSecond, reference: direct.perSecond })),
        ),
      );
      return rows;
    }),
};

export const get = ({ endpoint }: Path, connections: number, options: BenchOptions): Promise<GetResult> =>
  runLoad("get", { endpoint, connections, durationMs: scaled(durationMs, options) } satisfies GetOptions);
