/** The whole way on one machine, step by step, with a report at the end that is checked and not claimed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../runtime/errors";
import type { Child } from "./child";
import { cluster, install, type Installation } from "./installation";
import { isAlive } from "./is-alive";
import { findLeftovers } from "./leftovers";
import { Runner } from "./runner";
import { embeddedVisits, realVisits, type Visit } from "./visits";

export interface DemoOptions {
  /** Where the bundles are: `dist/`. */
  readonly bundles: string;
  readonly kubeconfig: string | undefined;
  readonly print: (line: string) => void;
  /** Aborts when the person has had enough. */
  readonly signal: AbortSignal;
}

const bundle = (options: DemoOptions, name: string) => join(options.bundles, name, "index.js");

/** Resolves with whether all of it held. Whatever happens, nothing is left. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "cluster-connect-demo-"));
  const children: Child[] = [];
  const stop = async () => {
    for (const child of children.splice(0).reverse()) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return await play(options, folder, children);
  } catch (error) {
    options.print(`\nIt failed: ${messageOf(error)}`);
    return false;
  } finally {
    await stop();
  }
}

async function play(options: DemoOptions, folder: string, children: Child[]): Promise<boolean> {
  const { print, kubeconfig, signal } = options;
  print("1. The installation: each part its own process, all on loopback");
  const installation = await install({
    folder: join(folder, "installation"),
    cli: bundle(options, "cli"),
    kubeconfig,
    onStarted: (child) => {
      children.push(child);
      print(`   ${child.name.padEnd(11)} process ${String(child.pid)}`);
    },
  });
  signal.throwIfAborted();
  const runner = new Runner({
    folder: join(folder, "job"),
    ...installation,
    print: (line) => print(`   │ ${line}`),
  });
  print("\n2. The action's main step, as a runner runs it");
  let main;
  const failures: string[] = [];
  try {
    main = await runner.run(bundle(options, "github-main"), actionInputs(installation));
    if (main.exitCode !== 0) failures.push("the main step failed");
    else if (!signal.aborted) failures.push(...(await visit(options, runner)));
  } finally {
    print("\n4. The action's post step");
    const post = await runner.run(bundle(options, "github-post"), {});
    if (post.exitCode !== 0) failures.push("the post step failed");
  }
  const dead = children.filter(({ hasEnded }) => hasEnded).map(({ name }) => `${name} ended by itself`);
  const leftovers = await findLeftovers({
    process: runner.backgroundProcess,
    folder: runner.temp,
    server: runner.outputs["server"],
    kubeconfig: runner.environment["KUBECONFIG"],
  });
  failures.push(...dead, ...leftovers.map((thing) => `left behind: ${thing}`));
  if (signal.aborted) failures.push("interrupted");
  const installed = children.map(({ pid }) => pid);
  for (const child of children.splice(0).reverse()) await child.stop();
  failures.push(...installed.filter(isAlive).map((pid) => `process ${String(pid)} does not end`));
  report(options, runner, main?.seconds, failures);
  return failures.length === 0;
}

const actionInputs = (installation: Installation) => ({
  "cluster-name": cluster,
  "relay-url": installation.relayUrl,
  "relay-ca": installation.relayCaPem,
  "cluster-ca": installation.clusterCaPin,
  timeout: "20s",
});

/** Uses the cluster through KUBECONFIG; returns what went wrong. */
async function visit({ print, kubeconfig, signal }: DemoOptions, runner: Runner): Promise<string[]> {
  const hasKubectl = kubeconfig === undefined && isOnPath("kubectl");
  const visits: readonly Visit[] = kubeconfig === undefined ? embeddedVisits(hasKubectl) : realVisits;
  print(`\n3. The cluster, through the exported KUBECONFIG${hasKubectl ? "" : ", by a client built in"}`);
  const failures: string[] = [];
  for (const { title, run } of visits) {
    if (signal.aborted) return failures;
    print(`   $ ${title}`);
    try {
      const output = await run(runner.environment["KUBECONFIG"] ?? "");
      for (const line of output.split("\n")) print(`   │ ${line}`);
    } catch (error) {
      print(`   ✗ ${messageOf(error)}`);
      failures.push(title);
    }
  }
  return failures;
}

function report(
  { print }: DemoOptions,
  runner: Runner,
  seconds: number | undefined,
  failures: string[],
): void {
  print("\nReport");
  print(
    `   main took        ${seconds === undefined ? "–" : `${seconds.toFixed(2)} s, until the cluster had answered`}`,
  );
  print(`   the cluster saw  ${runner.outputs["identity"] ?? "nobody"}`);
  print(
    `   left behind      ${failures.some((text) => text.startsWith("left behind")) ? "see below" : "nothing: no process, file, port or variable"}`,
  );
  print(`   result           ${failures.length === 0 ? "all of it held" : "NOT all of it held"}`);
  for (const failure of failures) print(`   ✗ ${failure}`);
}

function isOnPath(program: string): boolean {
  try {
    execFileSync(program, ["version", "--client"], { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
