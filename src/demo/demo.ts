/** The whole way on one machine, step by step, with a report at the end that is checked and not claimed. */
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../runtime/errors";
import type { Child } from "./child";
import { grantRights, type Grant } from "./grant";
import { cluster, install, type Installation } from "./installation";
import { jobVariables } from "./job-variables";
import { leftOfInstallation, leftOfJob } from "./leftovers";
import { Report } from "./report";
import { Runner } from "./runner";
import { visitsByClient } from "./visits/by-client";
import { isKubectlOnPath, visitsByKubectl } from "./visits/by-kubectl";
import { visitsToRealCluster } from "./visits/real-cluster";
import { visitor, type Visit } from "./visits/visit";

export interface DemoOptions {
  /** Where the bundles are: `dist/`. */
  readonly bundles: string;
  /** Of a real cluster, instead of the embedded one. */
  readonly kubeconfig: string | undefined;
  /** Whether the visitor may be given rights in that cluster for as long as the demo runs. */
  readonly grant: boolean;
  /** Instead of a job of its own: a file that is told how to run one, for as long as the demo is held. */
  readonly hold: string | undefined;
  readonly print: (line: string) => void;
  /** Aborts when the person has had enough. */
  readonly signal: AbortSignal;
}

/** Resolves with whether all of it held. Whatever happens, nothing is left. */
export function runDemo(options: DemoOptions): Promise<boolean> {
  return new Demo(options).run();
}

class Demo {
  readonly #report: Report;
  readonly #folder = mkdtempSync(join(tmpdir(), "cluster-connect-demo-"));
  readonly #children: Child[] = [];
  #installation: Installation | undefined;
  #grant: Grant | undefined;
  #step = 0;
  /** Then an interruption is its end. */
  #isHeld = false;

  constructor(private readonly options: DemoOptions) {
    this.#report = new Report(options.hold === undefined);
  }

  async run(): Promise<boolean> {
    const { print, signal, hold } = this.options;
    try {
      const installation = await this.#install();
      if (hold === undefined) await this.#runJob(installation);
      else await this.#hold(installation, hold);
    } catch (error) {
      if (!signal.aborted) this.#report.fail(messageOf(error));
    }
    if (signal.aborted && !this.#isHeld) this.#report.fail("interrupted");
    await this.#takeDown();
    for (const line of this.#report.lines()) print(line);
    return this.#report.hasHeld;
  }

  async #install(): Promise<Installation> {
    const { print, kubeconfig, grant, signal } = this.options;
    this.#announce("The installation: each part a process of its own, all on loopback");
    this.#installation = await install({
      folder: join(this.#folder, "installation"),
      cli: this.#bundle("cli"),
      kubeconfig,
      signal,
      onStarted: (child) => {
        this.#children.push(child);
        print(`   ${child.name.padEnd(11)} process ${String(child.pid)}`);
      },
    });
    if (grant && kubeconfig !== undefined) {
      this.#grant = await grantRights(kubeconfig, visitor);
      print(`   Role and RoleBinding ${this.#grant.name}, for ${visitor}`);
    }
    return this.#installation;
  }

  /** Until it is interrupted, which is how it ends. The file is made whole, and only then has its name. */
  async #hold(installation: Installation, path: string): Promise<void> {
    const { signal } = this.options;
    signal.throwIfAborted();
    const unfinished = `${path}.unfinished`;
    writeFileSync(unfinished, jobVariables(installation), { mode: 0o600, flag: "wx" });
    renameSync(unfinished, path);
    try {
      this.#announce(
        `Held, until it is interrupted: ${path} has a job's variables, in the form of GITHUB_ENV`,
      );
      this.#isHeld = true;
      await once(signal, "abort");
    } finally {
      rmSync(path, { force: true });
    }
  }

  async #runJob(installation: Installation): Promise<void> {
    const { print, signal } = this.options;
    const folder = join(this.#folder, "job");
    const runner = new Runner({ folder, ...installation, print: (line) => print(`   │ ${line}`) });
    try {
      signal.throwIfAborted();
      this.#announce("The action's main step, as a runner runs it");
      const main = await runner.run(this.#bundle("github-main"), actionInputs(installation), signal);
      if (main.exitCode === 0) {
        this.#report.ready(main.seconds, runner.outputs["identity"] ?? "nobody");
        await this.#visit(runner.environment["KUBECONFIG"] ?? "", folder);
      } else if (!signal.aborted) this.#report.fail("the main step failed");
    } finally {
      this.#announce("The action's post step");
      const post = await runner.run(this.#bundle("github-post"), {});
      if (post.exitCode !== 0) this.#report.fail("the post step failed");
      this.#report.left(await leftOfJob(runner));
    }
  }

  /** Uses the cluster through KUBECONFIG. */
  async #visit(kubeconfig: string, folder: string): Promise<void> {
    const { print, signal } = this.options;
    const { visits, by } = this.#visits();
    this.#announce(`The cluster, through the exported KUBECONFIG, by ${by}`);
    for (const { title, run } of visits) {
      signal.throwIfAborted();
      print(`   $ ${title}`);
      try {
        const output = await run({ kubeconfig, folder, signal });
        for (const line of output.split("\n")) print(`   │ ${line}`);
        this.#report.ran(title);
      } catch (error) {
        print(`   ✗ ${messageOf(error)}`);
        if (!signal.aborted) this.#report.fail(`${title}: ${messageOf(error)}`);
      }
    }
  }

  #visits(): { visits: readonly Visit[]; by: string } {
    const builtIn = "a client built in";
    if (this.options.kubeconfig !== undefined) {
      return { visits: visitsToRealCluster(this.#grant !== undefined), by: builtIn };
    }
    return isKubectlOnPath()
      ? { visits: visitsByKubectl, by: "kubectl" }
      : { visits: visitsByClient, by: builtIn };
  }

  /** Stops what was started, last first, and looks whether it is gone. */
  async #takeDown(): Promise<void> {
    const pids = this.#children.map(({ pid }) => pid);
    for (const { name, hasEnded } of this.#children)
      if (hasEnded) this.#report.fail(`${name} ended by itself`);
    try {
      this.#report.left((await this.#grant?.revoke()) ?? []);
    } catch (error) {
      this.#report.left([`Role and RoleBinding ${this.#grant?.name ?? ""}: ${messageOf(error)}`]);
    }
    for (const child of this.#children.reverse()) await child.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    this.#report.left(await leftOfInstallation(pids, this.#installation?.addresses ?? [], this.#folder));
  }

  #announce(title: string): void {
    this.#step += 1;
    this.options.print(`${this.#step === 1 ? "" : "\n"}${String(this.#step)}. ${title}`);
  }

  #bundle(name: string): string {
    return join(this.options.bundles, name, "index.js");
  }
}

const actionInputs = (installation: Installation) => ({
  "cluster-name": cluster,
  "relay-url": installation.relayUrl,
  "relay-ca": installation.relayCaPem,
  "cluster-ca": installation.clusterCaPin,
  timeout: "20s",
});
