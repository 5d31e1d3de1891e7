/** The memory of a relay with a thousand agents, each of a cluster of its own, none of them in use. */
import { readFileSync } from "node:fs";
import type { IdleAgentsOptions } from "../load/idle-agents";
import { startLoad } from "../load/run-load";
import { startBundle } from "../measure/started-process";
import { agentKey, configureRelay } from "../paths/relay";
import { onStage } from "../paths/stage";
import { rowOf } from "../report/row";
import { scaled, type BenchOptions, type Scenario } from "../scenario";

const scenario = "agents";
const crowd = 1_000;
const kibInMegabyte = 1e6 / 1_024;
/** The relay's RSS is read after a while, when the garbage of the handshakes is gone or counts. */
const settleMs = 2_000;

export const agents: Scenario = {
  name: scenario,
  description: "a relay with 1,000 idle agents: resident memory",
  async run(options) {
    const samples: { empty: number; full: number }[] = [];
    for (let run = 0; run < options.runs; run += 1) samples.push(await residentMegabytes(options));
    const head = { scenario, unit: "MB" };
    return [
      rowOf(
        { ...head, what: "relay with 1,000 idle agents, RSS", target: { of: "measured", atMost: 120 } },
        samples.map(({ full }) => ({ measured: full })),
      ),
      rowOf(
        { ...head, what: "relay with none, RSS" },
        samples.map(({ empty }) => ({ measured: empty })),
      ),
    ];
  },
};

const residentMegabytes = (options: BenchOptions): Promise<{ empty: number; full: number }> =>
  onStage(async (stage) => {
    const clusters = Array.from({ length: scaled(crowd, options) }, (_, at) => `plant-${String(at + 1)}`);
    const { relayConfig, relayUrl } = await configureRelay(stage, clusters);
    const relay = await stage.start(startBundle(["relay", "--config", relayConfig]));
    const empty = relay.residentKiB() / kibInMegabyte;
    const caPem = readFileSync(stage.file("relay.ca.pem"), "utf8");
    await stage.start(
      startLoad("idle-agents", {
        relayUrl,
        caPem,
        clusters,
        keyName: "agent",
        key: agentKey,
      } satisfies IdleAgentsOptions),
    );
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return { empty, full: relay.residentKiB() / kibInMegabyte };
  });
