import type { ConnectionFacts } from "../../../src/client-proxy/control";
import { Phase } from "../../../src/client-proxy/phase";
import { Timings } from "../../../src/client-proxy/timings";
import { ClusterConnectError, type ErrorCode } from "../../../src/runtime/errors";

const report = (phase: Phase, ...codes: ErrorCode[]) => {
  for (const code of codes) phase.report(new ClusterConnectError(code));
  return phase.current;
};
const connection = { server: "https://127.0.0.1:1" } as ConnectionFacts;
const never = new AbortController().signal;

describe("the phase", () => {
  it("stays connecting whatever passes by itself, and knows what stands in the way", () => {
    const phase = new Phase();
    expect(report(phase, "ERR_RELAY_UNREACHABLE", "ERR_RELAY_UNREACHABLE", "ERR_AGENT_NOT_CONNECTED")).toBe(
      "connecting",
    );
    expect(phase.failure?.code).toBe("ERR_AGENT_NOT_CONNECTED");
  });

  it("is failed once what does not mend itself has come twice in a row", () => {
    const phase = new Phase();
    expect(report(phase, "ERR_RELAY_TOKEN_REFUSED")).toBe("connecting");
    expect(report(phase, "ERR_RELAY_TOKEN_REFUSED")).toBe("failed");
  });

  it("is not failed by two different refusals, nor by one with something else in between", () => {
    const phase = new Phase();
    expect(report(phase, "ERR_RELAY_TOKEN_REFUSED", "ERR_RELAY_UNTRUSTED")).toBe("connecting");
    expect(report(phase, "ERR_RELAY_UNREACHABLE", "ERR_RELAY_UNTRUSTED")).toBe("connecting");
    expect(report(phase, "ERR_RELAY_UNTRUSTED")).toBe("failed");
  });

  it("is failed at once when no attempt will follow", () => {
    const phase = new Phase();
    phase.report(new ClusterConnectError("ERR_LOCAL_PORT"), true);
    expect(phase.current).toBe("failed");
  });

  it("stays ready whatever fails later, and says what", () => {
    const phase = new Phase();
    report(phase, "ERR_RELAY_UNREACHABLE");
    phase.ready(connection);
    expect(phase).toMatchObject({ current: "ready", failure: undefined, connection });
    expect(report(phase, "ERR_RELAY_TOKEN_REFUSED", "ERR_RELAY_TOKEN_REFUSED")).toBe("ready");
    expect(phase.failure?.code).toBe("ERR_RELAY_TOKEN_REFUSED");
  });

  it.each<[string, (phase: Phase) => void]>([
    ["ready", (phase) => phase.ready(connection)],
    ["failed", (phase) => phase.report(new ClusterConnectError("ERR_LOCAL_PORT"), true)],
    ["stopped", (phase) => phase.stopped()],
  ])("tells everybody who waits that it is %s, and who comes later at once", async (name, act) => {
    const phase = new Phase();
    const waiting = [phase.settled(never), phase.settled(never)];
    act(phase);
    await Promise.all(waiting);
    await phase.settled(never);
    expect(phase.current).toBe(name);
  });

  it("lets go of who does not want to wait any more", async () => {
    const phase = new Phase();
    const impatient = new AbortController();
    const waiting = phase.settled(impatient.signal);
    impatient.abort();
    await waiting;
    await phase.settled(impatient.signal);
    expect(phase.current).toBe("connecting");
  });
});

describe("timings", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it("are each phase's own milliseconds, and all of them together", () => {
    const timings = new Timings();
    jest.advanceTimersByTime(30);
    timings.mark("token");
    jest.advanceTimersByTime(12);
    timings.mark("session");
    expect(timings.elapsed()).toEqual({ token: 30, session: 12, total: 42 });
  });
});
