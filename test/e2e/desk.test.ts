import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { bundle } from "../support/bundle-process";
import { eventually } from "../support/eventually";
import { get } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";
import { clientKey, Stack, subject } from "../support/stack";

/** `cluster-connect proxy`, as somebody at a desk runs it. */
describe("the client proxy at a desk", () => {
  let apiserver: RecordingApiserver;
  let stack: Stack;
  let folder: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
    stack = await Stack.start({ apiserver });
  });
  afterAll(async () => {
    await stack.close();
    await apiserver.close();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "desk-"));
    const mint = (audience: string) => stack.issuer.mint({ repository: "octo/app" }, { audience, subject });
    writeFileSync(join(folder, "cluster.token"), await mint("cluster-connect/plant-7"));
    writeFileSync(join(folder, "relay.token"), await mint(stack.relayUrl));
    writeFileSync(join(folder, "relay.ca.pem"), stack.relayCaPem);
    writeFileSync(join(folder, "relay.key"), clientKey);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true });
  });

  const file = (name: string) => join(folder, name);
  const tokens = () => ["--token-file", file("cluster.token"), "--relay-token-file", file("relay.token")];
  function start(...flags: string[]) {
    const address = [
      "--relay-url",
      stack.relayUrl,
      "--relay-ca",
      file("relay.ca.pem"),
      "--cluster",
      "plant-7",
    ];
    const child = spawn(process.execPath, [bundle("cli"), "proxy", ...address, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", TMPDIR: folder },
    });
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    return {
      child,
      output: () => output,
      exited: once(child, "exit").then(() => child.exitCode),
      connected: () => eventually(() => output.includes("Ctrl-C ends"), 10_000),
    };
  }
  const instances = () => readdirSync(folder).filter((name) => name.startsWith("cluster-connect-"));

  it("says who it is connected as and what to do next, serves, and removes its files at Ctrl-C", async () => {
    const { child, output, connected, exited } = start(...tokens(), "--cluster-ca", stack.clusterCa);
    await connected();
    expect(output()).toMatch(
      /^Connecting to plant-7 through https:\/\/127\.0\.0\.1:\d+ …\nConnected to plant-7 \(v1\.36\.3\) as github:repo:octo\/app:environment:production in \d+\.\d s\n/,
    );
    expect(output()).not.toMatch(/Warning|"level"/);
    const [, kubeconfig = ""] = /export KUBECONFIG=(\S+)/.exec(output()) ?? [];
    expect((await get(kubeconfig, "/api/v1/pods")).status).toBe(200);
    child.kill("SIGINT");
    expect(await exited).toBe(0);
    expect(instances()).toEqual([]);
  });

  it("merges its context into a kubeconfig of one's own, and takes it out at the end", async () => {
    const own =
      "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\ncurrent-context: mine\n";
    writeFileSync(file("config"), own);
    const flags = ["--merge-into", file("config"), "--context-name", "seven", "--namespace", "apps"];
    const { child, output, connected, exited } = start(...tokens(), ...flags);
    await connected();
    expect(output()).toContain("kubectl config use-context seven");
    expect(output()).toContain(`--cluster-ca ${stack.clusterCa}`);
    const merged = readFileSync(file("config"), "utf8");
    expect(parse(merged)).toMatchObject({
      "current-context": "seven",
      contexts: [{ name: "seven", context: { namespace: "apps" } }],
    });
    expect((await get(file("config"), "/api")).status).toBe(200);
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(parse(readFileSync(file("config"), "utf8"))).toEqual(parse(own));
  });

  it("connects by a key and a command, tells programs what they need, and shows neither", async () => {
    const command = `"${process.execPath}" -p "require('fs').readFileSync('${file("cluster.token")}','utf8')"`;
    const key = ["--relay-key-name", "ci", "--relay-key-file", file("relay.key")];
    const started = start(
      ...key,
      "--token-command",
      command,
      "--insecure-trust-relay",
      "--log-format",
      "json",
    );
    await eventually(() => started.output().includes('"ready":true'), 10_000);
    const lines = started.output().trim().split("\n");
    const ready = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((line) => line["ready"]);
    expect(ready).toMatchObject({
      context: "plant-7",
      identity: `github:${subject}`,
      serverVersion: "v1.36.3",
    });
    expect(existsSync(String(ready!["kubeconfig"]))).toBe(true);
    expect(started.output()).not.toMatch(new RegExp(`eyJ[\\w-]+\\.eyJ|${clientKey}`));
  });

  it("says what stands in the way while it tries, and ends over what will not mend itself", async () => {
    await stack.agent.stop("SIGKILL");
    try {
      const waiting = start(...tokens());
      await eventually(() => waiting.output().includes("Still trying. agent: "), 5_000);
      waiting.child.kill("SIGINT");
      expect(await waiting.exited).toBe(0);
    } finally {
      await stack.startAgent();
    }
    writeFileSync(file("relay.token"), readFileSync(file("cluster.token")));
    const refused = start(...tokens());
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toContain("ERR_RELAY_TOKEN_AUDIENCE");
    expect(refused.output()).toContain("--relay-token-file");
    expect(instances()).toEqual([]);
  });

  it("leaves a kubeconfig alone that has the name already, and removes what it has made", async () => {
    const taken = "contexts: [{ name: plant-7 }]\n";
    writeFileSync(file("config"), taken);
    const { exited, output } = start(...tokens(), "--merge-into", file("config"));
    expect(await exited).toBe(1);
    expect(output()).toContain("ERR_KUBECONFIG_CLASH");
    expect(readFileSync(file("config"), "utf8")).toBe(taken);
    expect(instances()).toEqual([]);
  });
});
