import { setTimeout as pause } from "node:timers/promises";
import type { Agent } from "../../src/agent/agent";
import type { ClientSession } from "../../src/tunnel/session-client";
import { createTestAgent, EchoTarget, openTestSession, readStream } from "../support/agent-fixture";
import { startRelay, type RunningRelay } from "../support/relay-process";

describe("the agent", () => {
  let relay: RunningRelay;
  let target: EchoTarget;
  let agent: Agent;
  const sessions: ClientSession[] = [];
  const stopping = new AbortController();

  beforeAll(async () => {
    relay = await startRelay();
  });
  afterAll(() => relay.close());
  beforeEach(() => {
    target = new EchoTarget();
  });
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.close("done")));
    await agent.drain(0);
    await target.remove();
  });

  async function openSession(): Promise<ClientSession> {
    const session = await openTestSession(relay.url);
    sessions.push(session);
    return session;
  }

  /** The agent with its target, registered. */
  async function start(limits: object = {}): Promise<void> {
    await target.writeCa();
    await target.listen();
    agent = createTestAgent(relay.url, target, limits);
    await agent.start(stopping.signal);
  }

  async function metric(name: string): Promise<number> {
    const text = await agent.metrics.registry.getSingleMetricAsString(`cluster_connect_agent_${name}`);
    return Number(/^\S+ (\d+)$/m.exec(text)?.[1]);
  }

  /** An echo through a new stream. */
  function echo(session: ClientSession, text = "hello") {
    const stream = session.open();
    const read = readStream(stream);
    stream.write(Buffer.from(text));
    return { stream, ...read };
  }

  it("registers only once its target takes connections and has handed over its CA", async () => {
    agent = createTestAgent(relay.url, target);
    const started = agent.start(stopping.signal);
    await pause(100);
    expect(agent.unreadyReason).toContain("ENOENT");
    await target.writeCa();
    await pause(100);
    expect(agent.unreadyReason).toContain("api.sock");
    await expect(openSession()).rejects.toMatchObject({ status: 404 });
    await target.listen();
    await started;
    expect(agent.unreadyReason).toBeUndefined();
    expect(await echo(await openSession()).first).toBe("hello");
  });

  it("stops waiting for its target when it is told to stop", async () => {
    agent = createTestAgent(relay.url, target);
    const told = new AbortController();
    const started = agent.start(told.signal);
    told.abort(new Error("stopping"));
    await expect(started).rejects.toThrow("stopping");
  });

  it("resets a stream as target-unreachable while its target is away, counts it, and serves again after", async () => {
    await start();
    const session = await openSession();
    await target.close();
    expect(await echo(session).reset).toMatchObject({ code: "targetUnreachable" });
    expect(await metric("target_failures_total")).toBe(1);
    await target.listen();
    expect(await echo(session, "again").first).toBe("again");
  });

  it("names session and stream to its target, and nothing that the client chose", async () => {
    await start();
    const session = await openSession();
    await echo(session).first;
    await echo(session).first;
    const { sessionId } = await session.agentHello;
    expect(target.proxyHeaders.map((header) => header.slice(19))).toEqual([
      `${sessionId}/1`,
      `${sessionId}/2`,
    ]);
  });

  it("refuses sessions beyond its bound, with a reason, and takes another once one has ended", async () => {
    await start({ sessions: 2 });
    const [first] = await Promise.all([openSession(), openSession()]);
    await expect(openSession()).rejects.toMatchObject({
      status: 503,
      reason: expect.stringContaining("maximum number of sessions") as string,
    });
    expect(await metric("sessions_refused_total")).toBe(1);
    await first!.close("done");
    const deadline = Date.now() + 5_000;
    while ((await metric("sessions")) > 1 && Date.now() < deadline) await pause(5);
    expect(await echo(await openSession()).first).toBe("hello");
  });

  it("holds no more than its bound for all sessions together: streams beyond it are busy, others go on", async () => {
    await start({ heldBytes: 1_048_576 });
    const [one, other] = await Promise.all([openSession(), openSession()]);
    const busy = Array.from({ length: 6 }, () => echo(one!)).concat(
      Array.from({ length: 6 }, () => echo(other!)),
    );
    const outcomes = await Promise.all(
      busy.map(({ first, reset }) => Promise.race([first, reset.then(({ code }) => code)])),
    );
    expect(outcomes.filter((outcome) => outcome === "hello")).toHaveLength(8);
    expect(outcomes.filter((outcome) => outcome === "busy")).toHaveLength(4);
    expect(await metric("held_bytes")).toBeLessThanOrEqual(1_048_576);
  });

  it("refuses a session whose CA it cannot hand over", async () => {
    await start();
    await target.remove();
    await expect(openSession()).rejects.toMatchObject({ status: 502 });
  });

  describe("when it is told to stop", () => {
    it("deregisters, takes no new stream, and lets the open ones finish", async () => {
      await start();
      const session = await openSession();
      const open = echo(session);
      await open.first;
      const drained = agent.drain(60_000);
      await session.goingAway;
      expect(() => session.open()).toThrow(expect.objectContaining({ code: "ERR_TUNNEL_GOING_AWAY" }));
      await expect(openSession()).rejects.toMatchObject({ status: 404 });
      open.stream.write(Buffer.from("more"));
      open.stream.finish();
      await open.finished;
      await drained;
      expect(await session.closed).toMatchObject({ clean: true });
    });

    it("resets what is still open after its deadline", async () => {
      await start();
      const open = echo(await openSession());
      await open.first;
      await agent.drain(50);
      expect(await open.reset).toMatchObject({ code: "lost" });
    });

    it("tells sessions that are still being accepted, too", async () => {
      await start();
      const openings = Array.from({ length: 10 }, () =>
        openSession().then(
          (session) => session.goingAway.then(() => "told"),
          () => "refused",
        ),
      );
      await openSession();
      await agent.drain(10_000);
      const outcomes = await Promise.all(openings);
      expect(outcomes.filter((outcome) => !["told", "refused"].includes(outcome))).toEqual([]);
    });
  });
});
