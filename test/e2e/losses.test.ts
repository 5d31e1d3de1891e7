import type { CiJob } from "../support/ci-job";
import { systems } from "../support/ci-systems";
import { get, openStream } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";
import { Stack, subject } from "../support/stack";

const watchPath = "/api/v1/pods?watch=true";

describe.each(systems)("a connection that %s has made and that is lost", (_name, ci) => {
  let apiserver: RecordingApiserver;
  let stack: Stack;
  let job: CiJob;
  let kubeconfig: string;

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
    stack = await Stack.start({ apiserver });
    job = await ci.startJob({
      mint: (audience) => stack.issuer.mint({ repository: "octo/app" }, { audience, subject }),
    });
    const result = await job.run("one", ci.main, ci.inputs(stack));
    expect(result.errors()).toEqual([]);
    kubeconfig = job.environment["KUBECONFIG"]!;
  });
  afterAll(async () => {
    await job.close();
    await stack.close();
    await apiserver.close();
  });

  /** Resolves with how long it took until a request got through again; a 503 of the responder is not one. */
  async function untilServed(): Promise<number> {
    const started = performance.now();
    for (;;) {
      const answer = await get(kubeconfig, "/version").catch(() => undefined);
      if (answer?.status === 200) return performance.now() - started;
      if (performance.now() - started > 20_000) throw new Error(`not served again: ${answer?.body}`);
    }
  }

  it.each([
    ["the relay", () => stack.relay.stop("SIGKILL"), () => stack.startRelay()],
    ["the agent", () => stack.agent.stop("SIGKILL"), () => stack.startAgent()],
    ["the auth proxy", () => stack.authProxy.stop("SIGKILL"), () => stack.startAuthProxy()],
  ])("with %s never looks like an end, and heals once it is back", async (_, kill, restart) => {
    const watch = await openStream(kubeconfig, watchPath);
    expect(watch.first).toContain("ADDED");
    await kill();
    expect(await watch.over).toBe("lost");
    await restart();
    expect(await untilServed()).toBeLessThan(5_000);
  });

  it("with the apiserver is an abort too, and never the watch's last chunk", async () => {
    const watch = await openStream(kubeconfig, watchPath);
    await apiserver.kill();
    expect(await watch.over).toBe("lost");
    await apiserver.restart();
    expect(await untilServed()).toBeLessThan(5_000);
  });

  it("is answered, while the agent is missing, by a 503 that clients repeat and that names the hop", async () => {
    await stack.agent.stop("SIGKILL");
    const answer = await get(kubeconfig, "/version");
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(JSON.parse(answer.body)).toMatchObject({
      kind: "Status",
      reason: "ServiceUnavailable",
      message: expect.stringContaining("ERR_AGENT_NOT_CONNECTED") as string,
    });
    await stack.startAgent();
    expect(await untilServed()).toBeLessThan(5_000);
  });

  it("is none when an agent goes away in order: its streams end, and new requests find its successor", async () => {
    const old = stack.agent;
    await stack.startAgent();
    const watch = await openStream(kubeconfig, watchPath);
    const stopped = old.stop("SIGTERM");
    for (let count = 0; count < 20; count += 1) expect((await get(kubeconfig, "/version")).status).toBe(200);
    watch.outgoing.destroy();
    expect(await stopped).toBe(0);
  });

  it("is counted, and told by the post step", async () => {
    const undone = await job.run("one", ci.post, ci.inputs(stack));
    expect(undone.warnings()).toEqual([expect.stringMatching(/^[2-9] of \d+ connections were lost\.$/)]);
    expect(undone.summary).toMatch(/\| Streams lost \| \*\*[2-9]\*\*/);
    expect(job.leftoverProcesses()).toEqual([]);
  });
});
