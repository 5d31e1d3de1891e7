import { agentHello, clientHello } from "../../../src/protocol/hello";
import { announcedLimits, defaultLimits, defaultWireLimits } from "../../../src/protocol/limits";
import { serverNameOf } from "../../../src/protocol/server-name";
import { protocolVersion, subprotocol } from "../../../src/protocol/subprotocol";

const client = { version: 1, client: "cluster-connect/1.0.0" };
const agent = {
  version: 1,
  agent: "cluster-connect/1.0.0",
  listenerId: "11111111-2222-3333-4444-555555555555",
  sessionId: "s-1",
  cluster: "plant-7",
  serverName: serverNameOf("plant-7"),
  caBundle: "-----BEGIN CERTIFICATE-----",
};

describe("HELLO", () => {
  it("has the defaults where it is silent", () => {
    expect(clientHello.parse(client)).toEqual({ ...client, limits: defaultWireLimits, features: [] });
    expect(agentHello.parse(agent)).toEqual({ ...agent, limits: defaultWireLimits, features: [] });
  });

  it("may raise limits, one by one", () => {
    const { limits } = clientHello.parse({ ...client, limits: { streams: 1_024 } });
    expect(limits).toEqual({ ...defaultWireLimits, streams: 1_024 });
  });

  it.each(Object.entries(defaultWireLimits))("may not lower %s", (name, value) => {
    expect(clientHello.safeParse({ ...client, limits: { [name]: value - 1 } }).success).toBe(false);
  });

  it.each([1.5, "4096", -1, Infinity, 2 ** 40])("refuses %p as a limit", (value) => {
    expect(clientHello.safeParse({ ...client, limits: { streams: value } }).success).toBe(false);
  });

  it("may say more than this version knows", () => {
    expect(clientHello.parse({ ...client, later: true, features: ["resume"] })).toEqual({
      ...client,
      limits: defaultWireLimits,
      features: ["resume"],
    });
  });

  it.each(["agent", "listenerId", "sessionId", "cluster", "serverName", "caBundle"])(
    "of an agent needs %s",
    (name) => {
      expect(agentHello.safeParse({ ...agent, [name]: undefined }).success).toBe(false);
    },
  );

  it("refuses names that would write to a terminal", () => {
    expect(clientHello.safeParse({ ...client, client: "a\u001b[2J" }).success).toBe(false);
    expect(clientHello.safeParse({ ...client, client: "" }).success).toBe(false);
    expect(agentHello.safeParse({ ...agent, sessionId: "a\nb" }).success).toBe(false);
  });

  it("bounds names and features", () => {
    expect(clientHello.safeParse({ ...client, client: "x".repeat(257) }).success).toBe(false);
    expect(clientHello.safeParse({ ...client, features: Array(33).fill("f") }).success).toBe(false);
    expect(clientHello.safeParse({ ...client, features: ["x".repeat(65)] }).success).toBe(false);
  });
});

describe("limits", () => {
  it("are announced as they are where they are wider than the defaults, else as the defaults", () => {
    const announced = announcedLimits({ ...defaultLimits, streams: 4_096, creditCeilingBytes: 1_000 });
    expect(announced).toEqual({ ...defaultWireLimits, streams: 4_096 });
  });

  it("by default leave every stream its initial credit", () => {
    expect(defaultLimits.streams * defaultLimits.initialCreditBytes).toBeLessThanOrEqual(
      defaultLimits.heldBytes,
    );
  });
});

describe("server name", () => {
  it("is the first half of the SHA-256 of the cluster's name, under a domain of its own", () => {
    expect(serverNameOf("plant-7")).toBe("47f05648defdc8bd0419796c4ec54331.cluster-connect.internal");
  });

  it("differs between clusters", () => {
    expect(serverNameOf("emea/plant-7")).not.toBe(serverNameOf("plant-7"));
  });
});

describe("subprotocol", () => {
  it("names the version that HELLO repeats", () => {
    expect(subprotocol).toBe(`cluster-connect.v${String(protocolVersion)}`);
  });
});
