import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, nodes } from "../support/bundle-process";
import { readCommandFile } from "../support/fake-runner/command-files";
import { eventually } from "../support/eventually";

const parts = ["issuer", "Kubernetes", "relay", "auth proxy", "agent"];
/** Not one that has ended and that nobody has collected yet, as in a container without an init. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

describe("the demo", () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "demo-"));
    for (const name of ["tmp", "bin"]) mkdirSync(join(folder, name));
    // What every machine has, and no kubectl, whatever this one has.
    for (const program of ["sh", "cat"]) symlinkSync(`/bin/${program}`, join(folder, "bin", program));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true });
  });

  function start(node = process.execPath, ...flags: string[]) {
    const child = spawn(node, [bundle("cli"), "demo", ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: join(folder, "bin"), TMPDIR: join(folder, "tmp") },
    });
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    return {
      child,
      output: () => output,
      exited: once(child, "close").then(() => child.exitCode),
    };
  }
  /** Of the demo's own parts, as it names them. */
  const processesIn = (output: string) =>
    [...output.matchAll(/process (\d+)/g)].map(([, pid]) => Number(pid));
  const expectNothingLeft = (output: string) => {
    expect(processesIn(output).filter(isAlive)).toEqual([]);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  };
  const withKubectl = (script: string) => {
    const path = join(folder, "bin/kubectl");
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  };

  it.each(nodes)(
    "shows the whole way with nothing but Node and ends with 0 when all of it held, on %s",
    async (_, node) => {
      const { output, exited } = start(node);
      expect(await exited).toBe(0);
      for (const part of parts) {
        expect(output()).toMatch(new RegExp(`^ {3}${part} +process \\d+$`, "m"));
      }
      expect(output()).toMatch(/The cluster, through the exported KUBECONFIG, by a client built in/);
      expect(output()).toMatch(/^ {3}ready +\d+\.\d\d s after main began$/m);
      expect(output()).toMatch(/^ {3}the cluster saw +github:repo:/m);
      expect(output()).toMatch(/^ {3}left behind +nothing: no process, file, port or variable$/m);
      expect(output()).toMatch(/^ {3}result +all of it held$/m);
      expect(output()).not.toMatch(/✗|eyJ[\w-]+\.eyJ/);
      expect(processesIn(output()).length).toBeGreaterThan(4);
      expectNothingLeft(output());
    },
  );

  it("takes a kubectl that cannot run for one that is missing", async () => {
    withKubectl("exit 127");
    const { output, exited } = start();
    expect(await exited).toBe(0);
    expect(output()).toContain("by a client built in");
  });

  it("ends with 1, and says what, when something did not hold, and leaves nothing all the same", async () => {
    withKubectl('[ "$1 $2" = "version --client" ] && exit 0\necho broken >&2\nexit 9');
    const { output, exited } = start();
    expect(await exited).toBe(1);
    expect(output()).toMatch(/by kubectl$/m);
    expect(output()).toContain("✗ kubectl auth whoami: exit 9: broken");
    expect(output()).toMatch(/^ {3}result +NOT all of it held$/m);
    expect(output()).toMatch(/^ {3}left behind +nothing/m);
    expectNothingLeft(output());
  });

  it.each([
    ["while its parts are starting", "process", "SIGINT"],
    ["while the job connects, or a SIGTERM", "main step", "SIGTERM"],
    ["while the cluster is visited", "exported KUBECONFIG, by", "SIGINT"],
  ] as const)("cleans up after a Ctrl-C %s", async (_, moment, signal) => {
    const { child, output, exited } = start();
    await eventually(() => output().includes(moment), 10_000);
    child.kill(signal);
    expect(await exited).toBe(1);
    expect(output()).toContain("✗ interrupted");
    expect(output()).toMatch(/^ {3}left behind +nothing/m);
    expectNothingLeft(output());
  });

  it("cleans up when whoever reads it has had enough", async () => {
    const { child, output, exited } = start();
    await eventually(() => output().includes("main step"), 10_000);
    child.stdout!.destroy();
    expect(await exited).toBe(1);
    expectNothingLeft(output());
  });

  it("does not begin with flags that make no sense", async () => {
    const { output, exited } = start(process.execPath, "--grant");
    expect(await exited).toBe(1);
    expect(output()).toContain("--grant needs --kubeconfig");
    expectNothingLeft(output());
  });

  it("ends with 1 over a kubeconfig that cannot be read", async () => {
    const { output, exited } = start(process.execPath, "--kubeconfig", join(folder, "nowhere"));
    expect(await exited).toBe(1);
    expect(output()).toContain("NOT all of it held");
    expectNothingLeft(output());
  });

  it("is held for a job of somebody else's, told how by a private file, and ends well when it is interrupted", async () => {
    const file = join(folder, "job.env");
    const { child, output, exited } = start(process.execPath, "--hold", file);
    await eventually(() => existsSync(file), 20_000);
    const variables = readCommandFile(file);
    expect(Object.keys(variables).sort()).toEqual([
      "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
      "ACTIONS_ID_TOKEN_REQUEST_URL",
      "DEMO_CLUSTER",
      "DEMO_CLUSTER_CA",
      "DEMO_RELAY_CA",
      "DEMO_RELAY_URL",
      "NODE_EXTRA_CA_CERTS",
    ]);
    expect(variables["DEMO_RELAY_CA"]).toContain("-----BEGIN CERTIFICATE-----");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await eventually(() => output().includes("Held"), 5_000);
    child.kill("SIGINT");
    expect([await exited, output()]).toEqual([0, expect.stringContaining("all of it held")]);
    expect(existsSync(file)).toBe(false);
    expectNothingLeft(output());
  }, 40_000);

  it("is not held, and has failed, when it is interrupted before that", async () => {
    const file = join(folder, "job.env");
    const { child, output, exited } = start(process.execPath, "--hold", file);
    await eventually(() => processesIn(output()).length > 1, 20_000);
    child.kill("SIGINT");
    expect([await exited, output()]).toEqual([1, expect.stringContaining("interrupted")]);
    expect(existsSync(file)).toBe(false);
    expectNothingLeft(output());
  }, 40_000);
});
