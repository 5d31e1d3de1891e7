/** The shipped action's main, from its start to "Connected", with issuer and relay on the same machine. */
import { bundle } from "../../test/support/bundle-process";
import { Job } from "../../test/support/fake-runner/job";
import type { StepResult } from "../../test/support/ci-job";
import { startSmallApiserver } from "../../test/support/small-apiserver";
import { cluster, Stack, subject } from "../../test/support/stack";
import { rowOf, type Row } from "../report/row";
import type { Scenario } from "../scenario";

const scenario = "start";

export const start: Scenario = {
  name: scenario,
  description: "github-main from its start to ready, and each phase of it",
  async run({ runs }) {
    const apiserver = await startSmallApiserver();
    const stack = await Stack.start({ apiserver });
    const samples: Record<string, number>[] = [];
    try {
      // The first run is not counted: files come from the disk, keys from the issuer.
      for (let run = 0; run <= runs; run += 1) samples.push(await timeStart(stack));
    } finally {
      await stack.close();
      await apiserver.close();
    }
    return rowsOf(samples.slice(1));
  },
};

const total = "github-main, start → ready";

function rowsOf(samples: readonly Record<string, number>[]): Row[] {
  return Object.keys(samples[0] ?? {}).map((what) =>
    rowOf(
      {
        scenario,
        what,
        unit: "s",
        ...(what === total ? { target: { of: "measured", atMost: 1 } } : {}),
      },
      samples.map((sample) => ({ measured: sample[what] ?? Number.NaN })),
    ),
  );
}

/** Seconds, by what they were spent on. */
async function timeStart(stack: Stack): Promise<Record<string, number>> {
  const mint = (audience: string) =>
    stack.issuer.mint({ repository: "octo/app" }, { audience, subject, lifetimeSeconds: 300 });
  const job = await Job.start({ mint });
  try {
    const result = await job.run("one", bundle("github-main"), {
      "cluster-name": cluster,
      "relay-url": stack.relayUrl,
      "relay-ca": stack.relayCaPem,
      "cluster-ca": stack.clusterCa,
    });
    if (result.exitCode !== 0) throw new Error(result.log);
    const post = await job.run("one", bundle("github-post"), {});
    return {
      [total]: result.durationMs / 1_000,
      ...phasesOf(result),
      "github-post": post.durationMs / 1_000,
    };
  } finally {
    await job.close();
  }
}

/** Seconds of main's own lines, such as `0.05 s  Wrote the kubeconfig`. */
export function phasesOf({ stdout }: StepResult): Record<string, number> {
  const lines = stdout.matchAll(/^([\d.]+) s {2}(.+)$/gm);
  // A process id would make each run's line another one, and a digest a long one.
  const name = (phase: string) => `… ${phase.replace(/ \(process \d+\)|, sha256:.*/, "")}`;
  return Object.fromEntries([...lines].map(([, seconds, phase = ""]) => [name(phase), Number(seconds)]));
}
