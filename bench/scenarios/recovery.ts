/** The relay is killed and started again: how soon after it listens a request comes back from the target. */
import { untilGood } from "../load/get-until-good";
import { rowOf } from "../report/row";
import type { Scenario } from "../scenario";
import { startTarget } from "../paths/target";
import { startTunnel } from "../paths/tunnel";
import { onStage } from "../paths/stage";

const scenario = "recovery";
/** A connection that lasted for 5 s has succeeded: who loses it begins its retries anew, see runtime/backoff.ts. */
const peaceMs = 5_500;

export const recovery: Scenario = {
  name: scenario,
  description: "relay killed: from its listening again to the first good request",
  run: ({ runs }) =>
    onStage(async (stage) => {
      const tunnel = await startTunnel(stage, await startTarget(stage));
      let { relay } = tunnel.processes;
      const times: number[] = [];
      for (let run = 0; run < runs; run += 1) {
        await untilGood(tunnel.endpoint);
        await new Promise((resolve) => setTimeout(resolve, peaceMs));
        await relay?.kill();
        relay = await tunnel.restartRelay();
        const listening = performance.now();
        await untilGood(tunnel.endpoint);
        times.push(performance.now() - listening);
      }
      return [
        rowOf(
          {
            scenario,
            what: "relay listens again → first good request",
            unit: "ms",
            target: { of: "measured", atMost: 500 },
          },
          times.map((measured) => ({ measured })),
        ),
      ];
    }),
};
