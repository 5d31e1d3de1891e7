/** The whole path with the auth proxy in it. The tunnel without it is the reference, so that its share shows. */
import type { Path } from "../paths/path";
import { onStage } from "../paths/stage";
import { startTarget } from "../paths/target";
import { startTunnel } from "../paths/tunnel";
import { startTunnelWithAuthProxy } from "../paths/tunnel-with-auth-proxy";
import { rowOf, type Row, type Sample } from "../report/row";
import type { Scenario } from "../scenario";
import { get } from "./requests";
import { transfer } from "./throughput";

const scenario = "auth-proxy";

export const authProxy: Scenario = {
  name: scenario,
  description: "throughput and GET with the auth proxy in the path",
  run: (options) =>
    onStage(async (stage) => {
      const direct = await startTarget(stage);
      const without = await startTunnel(stage.inner(), direct);
      const whole = await startTunnelWithAuthProxy(stage.inner(), direct);
      const rows: Row[] = [];
      const compare = async (what: string, unit: string, measure: (path: Path) => Promise<number>) => {
        const samples: Sample[] = [];
        for (let run = 0; run < options.runs; run += 1) {
          samples.push({ reference: await measure(without), measured: await measure(whole) });
        }
        rows.push(rowOf({ scenario, what, unit, against: "tunnel alone" }, samples));
      };
      for (const direction of ["down", "up"] as const) {
        await compare(`${direction}, 1 stream`, "MiB/s", async (path) => {
          const { mebibytesPerSecond } = await transfer(path, { direction, streams: 1 }, options);
          return mebibytesPerSecond;
        });
      }
      for (const connections of [1, 16]) {
        const what = `GET p50, ${String(connections)} kept connection${connections === 1 ? "" : "s"}`;
        await compare(what, "ms", async (path) => (await get(path, connections, options)).p50Ms);
      }
      return rows;
    }),
};
