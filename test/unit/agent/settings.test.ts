import { agentSettings } from "../../../src/agent/settings";
import { validateSettings } from "../../../src/runtime/settings";

const minimal = {
  relay: { url: "https://relay.example.com", cluster: "plant-7", credential: { tokenFile: "/token" } },
  target: { socket: "/run/api.sock" },
};
const read = (document: unknown) => validateSettings(document, agentSettings, "agent.yaml");

describe("agent settings", () => {
  it("need a relay, a cluster, a credential and a target, and default every bound", () => {
    const settings = read(minimal);
    expect(settings.limits).toEqual({
      sessions: 1_024,
      streamsPerSession: 512,
      heldBytes: 268_435_456,
      sessionHeldBytes: 67_108_864,
      connectTimeoutMs: 5_000,
      targetProbeMs: 1_000,
      relayHandshakeMs: 20_000,
      pingMs: 30_000,
      tokenLifetimeMs: 3_600_000,
      renewMs: 1_200_000,
      retryMaxMs: 10_000,
      drainMs: 3_600_000,
    });
    expect(settings.health.host).toBe("127.0.0.1");
  });

  it.each([
    ["no credential", { relay: { ...minimal.relay, credential: {} } }],
    [
      "two credentials",
      { relay: { ...minimal.relay, credential: { tokenFile: "/t", keyName: "k", keyFile: "/k" } } },
    ],
    ["a relay address with a path", { relay: { ...minimal.relay, url: "https://relay.example.com/x" } }],
    ["a relay address of another scheme", { relay: { ...minimal.relay, url: "wss://relay.example.com" } }],
    ["two targets", { target: { socket: "/s", host: "h", port: 1, caFile: "/c" } }],
    ["a bound of zero", { limits: { sessions: 0 } }],
    ["an unknown key", { targets: {} }],
  ])("refuse %s", (_, change) => {
    expect(() => read({ ...minimal, ...change })).toThrow(
      expect.objectContaining({ code: "ERR_SETTINGS_INVALID" }),
    );
  });
});
