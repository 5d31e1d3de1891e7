import { createRelayDial } from "../../../src/client-proxy/relay-dial";
import { RelayLink } from "../../../src/client-proxy/relay-link";
import { deskRequest } from "../../../src/client-proxy/desk-settings";
import { startRequest } from "../../../src/client-proxy/control";
import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import { silentLogger } from "../../../src/runtime/logger";
import { createTestAgent, EchoTarget } from "../../support/agent-fixture";
import { sendKey, startRelay } from "../../support/relay-process";

/** Opens `count` streams in a session that may have `maxStreams`, the agent allowing `agentStreams`. */
async function openStreams(
  count: number,
  maxStreams: number | undefined,
  agentStreams: number,
): Promise<void> {
  const [relay, target] = [await startRelay(), new EchoTarget()];
  await target.writeCa();
  await target.listen();
  const agent = createTestAgent(relay.url, target, {
    streamsPerSession: agentStreams,
    sessionHeldBytes: 268_435_456,
  });
  const key = { keyName: "client", key: sendKey, lifetimeMs: 60_000 };
  const heard = { agentHello: () => undefined as unknown };
  const hello = new Promise((resolve) => (heard.agentHello = resolve as () => unknown));
  const link = new RelayLink({
    cluster: "plant-7",
    client: "cluster-connect/test",
    dial: createRelayDial({
      relayUrl: relay.url,
      cluster: "plant-7",
      authorization: () => Promise.resolve(createSasToken({ relay: relay.url, entity: "plant-7", ...key })),
      caPem: undefined,
    }),
    ...(maxStreams === undefined ? {} : { maxStreams }),
    logger: silentLogger,
    onHello: () => void heard.agentHello(),
    onFailure: () => undefined,
    onLost: () => undefined,
  });
  try {
    await agent.start(new AbortController().signal);
    link.start();
    const session = (await link.session(5_000))!;
    await hello;
    for (let opened = 0; opened < count; opened += 1) session.open();
  } finally {
    await link.stop();
    await agent.drain(0);
    await relay.close();
    await target.remove();
  }
}

describe("the bound on connections of a client proxy", () => {
  it("is 512 unless told otherwise", async () => {
    await expect(openStreams(512, undefined, 1_024)).resolves.toBeUndefined();
    await expect(openStreams(513, undefined, 1_024)).rejects.toMatchObject({ code: "ERR_TUNNEL_FULL" });
  });

  it("can be set lower", async () => {
    await expect(openStreams(2, 2, 1_024)).resolves.toBeUndefined();
    await expect(openStreams(3, 2, 1_024)).rejects.toMatchObject({ code: "ERR_TUNNEL_FULL" });
  });

  it("can be set higher, and memory for the streams' initial credit is then allowed too", async () => {
    await expect(openStreams(1_000, 1_000, 1_000)).resolves.toBeUndefined();
  });

  it("is held by the agent's own", async () => {
    await expect(openStreams(601, 1_000, 600)).rejects.toMatchObject({ code: "ERR_TUNNEL_FULL" });
  });

  it("comes from --max-streams, which must be a number in its range", () => {
    const flags = {
      relayUrl: "https://relay.example.com",
      cluster: "plant-7",
      tokenFile: "token",
      relayTokenFile: "relay-token",
      logLevel: "info",
      logFormat: "json",
    } as const;
    const parse = (more: object) => startRequest.safeParse(deskRequest({ ...flags, ...more }, "folder"));
    expect(parse({}).data?.backend).toMatchObject({ maxStreams: 512 });
    expect(parse({ maxStreams: "1000" }).data?.backend).toMatchObject({ maxStreams: 1_000 });
    for (const maxStreams of ["0", "many", "2049", "1.5"]) {
      expect(parse({ maxStreams }).error?.issues[0]?.path).toEqual(["backend", "maxStreams"]);
    }
  });
});
