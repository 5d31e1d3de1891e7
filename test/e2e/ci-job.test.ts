import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { CiJob } from "../support/ci-job";
import { systemsAndNodes } from "../support/ci-systems";
import { get } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";
import { Stack, subject } from "../support/stack";

describe.each(systemsAndNodes)("%s on %s", (_name, _node, ci, node) => {
  const { main, post } = ci;
  let apiserver: RecordingApiserver;
  let stack: Stack;
  let job: CiJob;
  const inputs = () => ci.inputs(stack);
  const mint = (audience: string) =>
    stack.issuer.mint({ repository: "octo/app" }, { audience, subject, lifetimeSeconds: 20 });

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
    stack = await Stack.start({ apiserver, node });
  });
  afterAll(async () => {
    await stack.close();
    await apiserver.close();
  });
  beforeEach(async () => {
    job = await ci.startJob({ mint, node });
  });
  afterEach(async () => {
    await job.close();
    expect(apiserver.withoutUser()).toEqual([]);
  });

  it("connects, serves requests as the job's identity, and leaves nothing behind", async () => {
    const result = await job.run("one", main, inputs());
    expect(result.errors()).toEqual([]);
    expect([result.result, result.exitCode]).toEqual(["succeeded", 0]);
    expect(result.stdout).toMatch(
      /^Connected to plant-7 \(v1\.36\.3\) as github:repo:octo\/app:environment:production in \d+\.\d s$/m,
    );
    expect(result.warnings()).toEqual([]);
    expect(new Set(job.identity.audiences)).toEqual(new Set([stack.relayUrl, "cluster-connect/plant-7"]));
    const path = job.environment["KUBECONFIG"]!;
    expect(job.environment["KUBE_CONFIG_PATH"]).toBe(path);
    expect(result.outputs).toMatchObject({
      "kubeconfig-path": path,
      "context-name": "plant-7",
      identity: `github:${subject}`,
      "server-version": "v1.36.3",
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(job.leftoverProcesses()).toHaveLength(1);

    const answer = await get(path, "/api/v1/namespaces/default/pods");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ seen: `github:${subject}` });

    const undone = await job.run("one", post, inputs());
    expect(undone.exitCode).toBe(0);
    expect(undone.warnings()).toEqual([]);
    expect(undone.summary).toContain(`| Identity | github:${subject} |`);
    expect(job.environment["KUBECONFIG"]).toBe("");
    expect(job.leftoverProcesses()).toEqual([]);
    expect(job.leftoverFiles()).toEqual([]);
  });

  it("keeps the right to request tokens, and every token, out of files, state, arguments and logs", async () => {
    const result = await job.run("one", main, { ...inputs(), "log-level": "debug" });
    const [pid] = job.leftoverProcesses();
    const [environment, commandLine] = ["environ", "cmdline"].map((name) =>
      readFileSync(`/proc/${pid}/${name}`, "utf8"),
    );
    const log = readFileSync(`${dirname(job.environment["KUBECONFIG"]!)}/client-proxy.log`, "utf8");
    for (const text of [environment, commandLine, log, result.unmasked, JSON.stringify(job.stateOf("one"))]) {
      expect(text).not.toContain(job.identity.requestToken);
      expect(text).not.toMatch(/eyJ[\w-]+\.eyJ/);
    }
    await job.run("one", post, inputs());
  });

  it("works twice in one job, side by side, and unwinds in reverse", async () => {
    job.environment["KUBECONFIG"] = "/home/somebody/.kube/config";
    await job.run("one", main, inputs());
    const first = job.environment["KUBECONFIG"];
    const second = await job.run("two", main, { ...inputs(), "context-name": "again" });
    expect(second.errors()).toEqual([]);
    const merged = readFileSync(job.environment["KUBECONFIG"], "utf8");
    expect(merged).toContain("current-context: again");
    expect(merged).toContain("name: plant-7");
    expect((await get(job.environment["KUBECONFIG"], "/api")).status).toBe(200);
    expect((await get(first, "/api")).status).toBe(200);
    const clash = await job.run("three", main, inputs());
    expect(clash.errors()).toEqual([expect.stringContaining("ERR_KUBECONFIG_CLASH")]);
    for (const [step, expected] of [
      ["three", second.outputs["kubeconfig-path"]],
      ["two", first],
      ["one", "/home/somebody/.kube/config"],
    ] as const) {
      await job.run(step, post, inputs());
      expect(job.environment["KUBECONFIG"]).toBe(expected);
    }
    expect(job.leftoverProcesses()).toEqual([]);
    expect(job.leftoverFiles()).toEqual([]);
  });

  it("leaves nothing behind when it is cancelled or killed half-way", async () => {
    for (const kill of [false, true]) {
      const unreachable = { ...inputs(), "relay-url": "https://127.0.0.1:1", timeout: "30s" };
      const started = (async () => {
        while (job.leftoverProcesses().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      })();
      await job.run("one", main, unreachable, { cancelAfter: started, kill });
      const undone = await job.run("one", post, inputs());
      expect(undone.exitCode).toBe(0);
      expect(job.leftoverProcesses()).toEqual([]);
      expect(job.leftoverFiles()).toEqual([]);
    }
  });

  it("has a post step that does nothing, and says so to debuggers alone, when main never ran", async () => {
    const undone = await job.run("never", post, inputs());
    expect([undone.result, undone.exitCode]).toEqual(["succeeded", 0]);
    const lines = undone.stdout.trim().split("\n");
    expect(undone.commands.map(({ command }) => command)).toEqual(lines.map(() => "debug"));
    expect(lines.at(-1)).toContain("nothing to undo");
  });

  it("warns, with the pin to paste, when the relay is trusted to name the CA", async () => {
    const result = await job.run("one", main, { ...inputs(), "cluster-ca": "" });
    expect(result.warnings()).toEqual([
      expect.stringContaining(`${ci.nameOf("cluster-ca")}: ${stack.clusterCa}`),
    ]);
    await job.run("one", post, inputs());
    const silenced = await job.run("two", main, {
      ...inputs(),
      "cluster-ca": "",
      "insecure-trust-relay": "true",
    });
    expect(silenced.warnings()).toEqual([]);
    await job.run("two", post, inputs());
  });

  describe("when something is wrong", () => {
    const failing = async (changes: Record<string, string>, code: string) => {
      const result = await job.run("one", main, { ...inputs(), timeout: "3s", ...changes });
      expect(result.result).toBe("failed");
      expect(result.errors()).toEqual([expect.stringContaining(`(${code})`)]);
      expect(result.errors()[0]).toMatch(/\nWhere: .+\. Likely cause: .+\nWhat to do \(.+\): .+/s);
      expect(job.leftoverProcesses()).toEqual([]);
      expect(job.leftoverFiles()).toEqual([]);
      expect(job.environment["KUBECONFIG"]).toBeUndefined();
      return result;
    };

    it.each<[string, Record<string, string>, string]>([
      ["the relay is not there", { "relay-url": "https://127.0.0.1:1" }, "ERR_RELAY_UNREACHABLE"],
      ["the relay's certificate is not trusted", { "relay-ca": "" }, "ERR_RELAY_UNTRUSTED"],
      ["the cluster is unknown", { "cluster-name": "other" }, "ERR_AGENT_NOT_CONNECTED"],
      [
        "the relay's audience is wrong",
        ci.audience("relay", "https://elsewhere"),
        "ERR_RELAY_TOKEN_AUDIENCE",
      ],
      ["the cluster's audience is wrong", ci.audience("cluster", "elsewhere"), "ERR_CLUSTER_TOKEN_AUDIENCE"],
      ["the pin is another", { "cluster-ca": `sha256:${"0".repeat(64)}` }, "ERR_CLUSTER_CA_MISMATCH"],
      ["an input is missing", { "cluster-name": "" }, "ERR_CI_INPUT"],
      [
        "the audiences are one",
        { ...ci.audience("relay", "a"), ...ci.audience("cluster", "a") },
        "ERR_CI_INPUT",
      ],
    ])("because %s, it says so once and leaves nothing", async (_, changes, code) => {
      await failing(changes, code);
    });

    it("because the job may not request tokens, it names the permission", async () => {
      await job.close();
      job = await ci.startJob({ mint, node, idToken: false });
      const result = await failing({}, "ERR_CI_OIDC_NOT_PERMITTED");
      expect(result.errors()[0]).toContain("id-token: write");
    });

    it("because no rule admits the job, it shows the claims to compare", async () => {
      await job.close();
      job = await ci.startJob({
        node,
        mint: (audience) => stack.issuer.mint({ repository: "evil/app" }, { audience }),
      });
      const result = await failing({}, "ERR_RELAY_TOKEN_REFUSED");
      expect(result.errors()[0]).toContain(`subject "${subject}"`);
    });

    it("because the apiserver is down, it names that hop", async () => {
      await apiserver.kill();
      try {
        await failing({}, "ERR_APISERVER_UNREACHABLE");
      } finally {
        await apiserver.restart();
      }
    });

    it("because the auth proxy is down, it names that hop", async () => {
      await stack.authProxy.stop("SIGKILL");
      try {
        await failing({}, "ERR_AUTH_PROXY_UNREACHABLE");
      } finally {
        await stack.startAuthProxy();
      }
    });

    it("because no agent is connected, it names that hop", async () => {
      await stack.agent.stop("SIGKILL");
      try {
        await failing({}, "ERR_AGENT_NOT_CONNECTED");
      } finally {
        await stack.startAgent();
      }
    });
  });
});
