import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { dirname, join } from "node:path";
import type { CiJob, JobOptions, StepResult } from "../support/ci-job";
import { systemsAndNodes } from "../support/ci-systems";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";
import { clientKey, Stack, subject } from "../support/stack";

describe.each(systemsAndNodes)("%s in a hostile world, on %s", (_name, _node, ci, node) => {
  const { main, post } = ci;
  let apiserver: RecordingApiserver;
  let stack: Stack;
  const jobs: CiJob[] = [];
  const startJob = async (options: Partial<JobOptions> = {}) => {
    const mint = (audience: string) => stack.issuer.mint({ repository: "octo/app" }, { audience, subject });
    const job = await ci.startJob({ mint, node, ...options });
    jobs.push(job);
    return job;
  };
  const inputs = (changes: Record<string, string> = {}) => ({
    ...ci.inputs(stack),
    ...changes,
  });
  const expectNothingLeft = (job: CiJob) => {
    expect(job.leftoverProcesses()).toEqual([]);
    expect(job.leftoverFiles()).toEqual([]);
  };
  const codesOf = (result: StepResult) =>
    result.errors().map((text) => /\((ERR_\w+)\)\nWhere:/.exec(text)?.[1]);

  beforeAll(async () => {
    apiserver = await startSmallApiserver({ hasRights: false });
    stack = await Stack.start({ apiserver, node });
  });
  afterAll(async () => {
    await stack.close();
    await apiserver.close();
  });
  afterEach(async () => {
    for (const job of jobs.splice(0)) await job.close();
  });

  it("lets no name from elsewhere become a command, an output or a column", async () => {
    const answer = apiserver.handle;
    apiserver.handle = (request, response) => {
      if (request.url?.endsWith("/selfsubjectreviews") !== true) return answer(request, response);
      const username =
        "x\n::error::evil\nserver=evil ##[error]evil ##vso[task.setvariable variable=PATH]evil | y";
      response.writeHead(201, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ status: { userInfo: { username, groups: [] } } }));
    };
    try {
      const job = await startJob();
      const result = await job.run("one", main, inputs());
      expect([result.result, result.exitCode]).toEqual(["succeeded", 0]);
      expect(result.errors()).toEqual([]);
      expect(job.environment["PATH"]).toBeUndefined();
      expect(result.outputs["server"]).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      expect(result.outputs["identity"]).not.toContain("\n");
      const undone = await job.run("one", post, inputs());
      expect(undone.errors()).toEqual([]);
      expect(undone.summary).toContain("\\| y |");
    } finally {
      apiserver.handle = answer;
    }
  });

  it("tells an identity without rights what would give it some", async () => {
    const job = await startJob();
    const result = await job.run("one", main, inputs());
    expect(result.notices()).toEqual([
      expect.stringMatching(
        /kubectl create clusterrolebinding \S+ --clusterrole=view --user='github:repo:octo/,
      ),
    ]);
  });

  it("connects by a key of the relay, and shows it to nobody", async () => {
    const job = await startJob();
    const key = ci.withKey("ci", clientKey);
    const result = await job.run("one", main, inputs(key));
    expect(result.errors()).toEqual([]);
    expect(job.identity.audiences).toEqual(["cluster-connect/plant-7"]);
    for (const text of [result.log, result.unmasked]) expect(text).not.toContain(clientKey);
    expect(JSON.stringify(job.stateOf("one"))).not.toContain(clientKey);
    const wrong = await job.run("two", main, inputs({ ...key, "relay-key": "wrong" }));
    expect(codesOf(wrong)).toEqual(["ERR_RELAY_TOKEN_REFUSED"]);
    for (const text of [wrong.log, wrong.unmasked]) expect(text).not.toContain("wrong");
  });

  it("does not keep the runner waiting for its output", async () => {
    const job = await startJob();
    const result = await job.run("one", main, inputs());
    expect(result.keptOutputOpen).toBe(false);
    expect(job.leftoverProcesses()).toHaveLength(1);
  });

  it("leaves nothing behind whenever main is killed", async () => {
    const job = await startJob();
    for (const ms of [30, 90, 150, 250, 400]) {
      const cancelAfter = new Promise((resolve) => setTimeout(resolve, ms));
      await job.run("one", main, inputs(), { cancelAfter, kill: true });
      const undone = await job.run("one", post, inputs());
      expect(undone.exitCode).toBe(0);
      expectNothingLeft(job);
    }
  });

  it("is swept by the runner when post never runs", async () => {
    const job = await startJob();
    await job.run("one", main, inputs());
    expect(job.sweep()).toHaveLength(1);
  });

  it("ends a client proxy that hangs, within ten seconds", async () => {
    const job = await startJob();
    await job.run("one", main, inputs());
    const [pid = 0] = job.leftoverProcesses();
    process.kill(pid, "SIGSTOP");
    const undone = await job.run("one", post, inputs());
    expect(undone.exitCode).toBe(0);
    expect(undone.durationMs).toBeLessThan(10_000);
    expectNothingLeft(job);
  });

  it("says so, and shows the log, when a step has killed the client proxy", async () => {
    const job = await startJob();
    await job.run("one", main, inputs());
    job.sweep();
    const undone = await job.run("one", post, inputs());
    expect(undone.exitCode).toBe(0);
    expect(undone.warnings()).toEqual([expect.stringContaining("had ended before the post step")]);
    expect(undone.log).toMatch(/^\[group\] The client proxy's log.*\n\| .*connected/ms);
    expectNothingLeft(job);
  });

  it("leaves nothing behind where the path is too long for a socket, even when it was killed", async () => {
    const job = await startJob({ tempName: `_temp/${"long".repeat(25)}` });
    await job.run("one", main, inputs());
    const directory = dirname(job.environment["KUBECONFIG"]!);
    const address = readFileSync(join(directory, "control.address"), "utf8");
    expect(address.startsWith(directory)).toBe(false);
    job.sweep();
    await job.run("one", post, inputs());
    expectNothingLeft(job);
    expect(() => readFileSync(dirname(address))).toThrow(/ENOENT/);
  });

  it.each([
    ["refuses", 403, "ERR_OIDC_REQUEST_REFUSED"],
    ["fails", 500, "ERR_OIDC_UNREACHABLE"],
  ])("names the identity provider when that %s", async (_, status, code) => {
    const job = await startJob();
    job.identity.failingStatus = status;
    const result = await job.run("one", main, inputs());
    expect(codesOf(result)).toEqual([code]);
    expectNothingLeft(job);
  });

  it("tells a relay's audience from any other reason to refuse, with what was sent and what is wanted", async () => {
    const job = await startJob();
    const result = await job.run("one", main, inputs(ci.audience("relay", "https://elsewhere")));
    expect(codesOf(result)).toEqual(["ERR_RELAY_TOKEN_AUDIENCE"]);
    const [error] = result.errors();
    expect(error).toContain(
      `audience is "https://elsewhere"; a relay wants its own origin, here ${stack.relayUrl}`,
    );
    expect(error).toMatch(
      /Where: relay\..*\nWhat to do \(workflow author\): on GitHub, leave relay-audience out/,
    );
    expect(error).not.toContain("octo/app");
    expectNothingLeft(job);
  });

  it("tells a cluster's audience likewise, and what the auth proxy expects", async () => {
    const job = await startJob();
    const result = await job.run("one", main, inputs(ci.audience("cluster", "elsewhere")));
    expect(codesOf(result)).toEqual(["ERR_CLUSTER_TOKEN_AUDIENCE"]);
    const [error] = result.errors();
    expect(error).toContain(`the token's audience is "elsewhere"`);
    expect(error).toContain("expected cluster-connect/plant-7");
    expect(error).toMatch(
      /Where: auth proxy\..*\nWhat to do \(workflow author\): on GitHub, set cluster-audience/,
    );
    expectNothingLeft(job);
  });

  it("tells a signature for another host than the relay's own", async () => {
    const job = await startJob();
    const relayUrl = stack.relayUrl.replace("127.0.0.1", "localhost");
    const key = { ...ci.withKey("ci", clientKey), "relay-url": relayUrl };
    const result = await job.run("one", main, inputs(key));
    expect(codesOf(result)).toEqual(["ERR_RELAY_TOKEN_AUDIENCE"]);
    expect(result.errors()[0]).toContain("the signature is for http://localhost/plant-7");
    expectNothingLeft(job);
  });

  it("gives up on a relay that takes the connection and says nothing", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      const job = await startJob();
      const { port } = silent.address() as AddressInfo;
      const url = `https://127.0.0.1:${port}`;
      const result = await job.run("one", main, inputs({ "relay-url": url, timeout: "2s" }));
      expect(codesOf(result)).toEqual(["ERR_CI_TIMEOUT"]);
      expect(result.errors()[0]).toContain("gave up after 2 s");
      expectNothingLeft(job);
    } finally {
      silent.close();
    }
  });

  it("closes every group before it shows an error", async () => {
    const job = await startJob();
    const { commands } = await job.run("one", main, inputs({ "cluster-ca": "nonsense" }));
    const names = commands.map(({ command }) => command).filter((name) => /group|error/.test(name));
    expect(names).toEqual(["group", "endgroup", "error", "group", "endgroup"]);
  });
});
