/** The shipped action's main through Azure Arc, with arcProxy kept already and every simulator answering at once. */
import { AzureForJobs } from "../../test/support/azure/azure-job";
import { githubActions as ci } from "../../test/support/ci-systems";
import { startSmallApiserver } from "../../test/support/small-apiserver";
import { rowOf, type Row } from "../report/row";
import type { Scenario } from "../scenario";
import { phasesOf } from "./start";

const scenario = "arc-start";
const total = "github-main through Azure Arc, start → ready";

export const arcStart: Scenario = {
  name: scenario,
  description: "github-main through Azure Arc from its start to ready, arcProxy being there",
  async run({ runs }) {
    const apiserver = await startSmallApiserver();
    const upstream = { kind: "direct", url: apiserver.url, caPem: apiserver.caPem } as const;
    const world = await AzureForJobs.start({ arcProxy: { upstream } });
    const samples: Record<string, number>[] = [];
    try {
      // One job for all of them: the first run, which is not counted, fetches arcProxy.
      const job = await world.startJob(ci);
      for (let run = 0; run <= runs; run += 1) {
        const result = await job.run(String(run), ci.main, world.inputs(ci));
        if (result.exitCode !== 0) throw new Error(result.log);
        const post = await job.run(String(run), ci.post, {});
        samples.push({
          [total]: result.durationMs / 1_000,
          ...phasesOf(result),
          "github-post": post.durationMs / 1_000,
        });
      }
    } finally {
      await world.close();
      await apiserver.close();
    }
    return rowsOf(samples.slice(1));
  },
};

function rowsOf(samples: readonly Record<string, number>[]): Row[] {
  return Object.keys(samples[0] ?? {}).map((what) =>
    rowOf(
      {
        scenario,
        what,
        unit: "s",
        ...(what === total ? { target: { of: "measured", atMost: 1.5 } } : {}),
      },
      samples.map((sample) => ({ measured: sample[what] ?? Number.NaN })),
    ),
  );
}
