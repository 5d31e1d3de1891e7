/** What the kubeconfig's exec credential costs a kubectl command, against the same command with a token in the file. */
import { execFile } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { median } from "../measure/statistics";
import { writeWithToken } from "../paths/kubeconfig";
import { onStage } from "../paths/stage";
import { startTarget } from "../paths/target";
import { startTunnel } from "../paths/tunnel";
import { notMeasured, rowOf, type RowHead } from "../report/row";
import { scaled, type BenchOptions, type Scenario } from "../scenario";

const scenario = "kubectl";
const calls = 20;
const run = promisify(execFile);

const head: RowHead = {
  scenario,
  what: "exec credential, a kubectl command",
  unit: "ms",
  target: { of: "measured", atMost: 5 },
};

export const kubectl: Scenario = {
  name: scenario,
  description: "what the exec credential costs a kubectl command",
  run: (options) =>
    onStage(async (stage) => {
      const program = findKubectl();
      if (program === undefined) return [notMeasured(head, "no kubectl here")];
      const { processes } = await startTunnel(stage, await startTarget(stage));
      const withExec = String(processes["client proxy"]?.ready["kubeconfig"]);
      const withToken = stage.file("with-token.kubeconfig");
      writeWithToken(withExec, withToken, "opaque-token");
      const costs: number[] = [];
      const whole: number[] = [];
      for (let turn = 0; turn < options.runs; turn += 1) {
        const { exec, token } = await timeCalls(program, { exec: withExec, token: withToken }, options);
        costs.push(median(exec) - median(token));
        whole.push(median(exec));
      }
      return [
        rowOf(
          head,
          costs.map((measured) => ({ measured })),
        ),
        rowOf(
          { scenario, what: "kubectl get --raw, the whole command", unit: "ms" },
          whole.map((measured) => ({ measured })),
        ),
      ];
    }),
};

/** Milliseconds of each command, both kubeconfigs in turn. */
async function timeCalls(
  program: string,
  kubeconfigs: { readonly exec: string; readonly token: string },
  options: BenchOptions,
): Promise<{ exec: number[]; token: number[] }> {
  const times = { exec: [] as number[], token: [] as number[] };
  for (let call = 0; call < scaled(calls, options); call += 1) {
    for (const kind of ["exec", "token"] as const) {
      const started = performance.now();
      await run(program, ["--kubeconfig", kubeconfigs[kind], "get", "--raw", "/kib"]);
      times[kind].push(performance.now() - started);
    }
  }
  return times;
}

/** From PATH, or the one that `npm run test:cluster` has built. */
function findKubectl(): string | undefined {
  const built = join(homedir(), ".cache/cluster-connect");
  const folders = (process.env["PATH"] ?? "").split(delimiter).concat(
    list(built)
      .filter((name) => name.startsWith("kubernetes-"))
      .map((name) => join(built, name)),
  );
  return folders.map((folder) => join(folder, "kubectl")).find(isExecutable);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
