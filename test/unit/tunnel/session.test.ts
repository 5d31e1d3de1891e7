import { closeCodes } from "../../../src/protocol/codes";
import { ClusterConnectError } from "../../../src/runtime/errors";
import { silentLogger } from "../../../src/runtime/logger";
import { acceptAgentSession } from "../../../src/tunnel/session-agent";
import { openClientSession } from "../../../src/tunnel/session-client";
import { MemoryTransport } from "../../support/memory-transport";
import {
  agentHelloJson,
  agentWithRawClient,
  clientHelloJson,
  clientWithRawAgent,
  cluster,
  data,
  fin,
  identity,
  join,
  open,
  RawPeer,
  Reader,
  turns,
  until,
} from "./session-pair";

const end = { client: "a test ended" };

describe("a session", () => {
  it("begins with a HELLO from each end", async () => {
    const { client, agent } = join();
    await expect(client.agentHello).resolves.toMatchObject(identity);
    await client.close(end.client);
    await expect(agent.closed).resolves.toMatchObject({ code: 1000, clean: true, local: false });
  });

  it("carries bytes both ways and ends each way by itself", async () => {
    const { client, agent, accepted } = join();
    const request = new Reader(client.open());
    request.stream.write(Buffer.from("question"));
    request.stream.finish();
    await until(() => accepted.length === 1);
    const response = new Reader(accepted[0]!);
    await until(() => response.hasFinished);
    expect(response.all.toString()).toBe("question");
    expect(request.hasFinished).toBe(false);
    response.stream.write(Buffer.from("answer"));
    response.stream.finish();
    await until(() => request.isClosed && response.isClosed);
    expect(request.all.toString()).toBe("answer");
    expect([client.openStreams, agent.openStreams]).toEqual([0, 0]);
    expect([request.stream.sent, request.stream.received]).toEqual([8, 6]);
    await client.close(end.client);
  });

  it("opens streams, with data behind them, before the agent has said HELLO", async () => {
    const [clientLink, agentLink] = MemoryTransport.pair();
    const client = openClientSession(clientLink, { cluster, client: "c/1", logger: silentLogger });
    const peer = new RawPeer(agentLink);
    client.open().write(Buffer.from("early"));
    await until(() => peer.frames.length === 2);
    expect(peer.frames).toEqual([
      ["OPEN", 1],
      ["DATA", 1, "early"],
    ]);
    expect(peer.messages).toHaveLength(1);
    await client.close(end.client);
    await expect(client.agentHello).rejects.toMatchObject({ code: "ERR_TUNNEL_CLOSED" });
  });

  it("measures the round trip soon after HELLO", async () => {
    const { client, agent } = join();
    expect(client.roundTripMs).toBeUndefined();
    await until(() => client.roundTripMs !== undefined && agent.roundTripMs !== undefined);
    expect(client.roundTripMs).toBeGreaterThanOrEqual(0);
    await client.close(end.client);
  });

  it("answers PING with the same eight bytes", async () => {
    const { agent, peer } = agentWithRawClient();
    peer.send(Buffer.concat([Buffer.from("0200000800000000", "hex"), Buffer.from("12345678")]));
    await until(() => peer.named("PONG").length === 1);
    expect(peer.named("PONG")).toEqual([["PONG", Buffer.from("12345678").toString("hex")]]);
    await agent.close(end.client);
  });

  it("ignores a PONG that answers nothing", async () => {
    const { agent, peer } = agentWithRawClient();
    peer.send(Buffer.concat([Buffer.from("0300000800000000", "hex"), Buffer.from("12345678")]));
    await turns(5);
    expect(agent.roundTripMs).toBeUndefined();
    await agent.close(end.client);
  });

  it("skips frames that a later version may have", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(Buffer.from("8000000300000009616263", "hex"), open(1));
    await until(() => accepted.length === 1);
    await agent.close(end.client);
  });

  it("resets its streams as lost when it is closed, at both ends", async () => {
    const { client, agent, accepted } = join();
    const here = new Reader(client.open());
    await until(() => accepted.length === 1);
    const there = new Reader(accepted[0]!);
    await client.close("enough");
    await agent.closed;
    expect(here.loss).toEqual({ code: "lost", reason: "enough", local: true });
    expect(there.loss).toEqual({ code: "lost", reason: "enough", local: true });
    expect(() => client.open()).toThrow(expect.objectContaining({ code: "ERR_TUNNEL_CLOSED" }));
  });

  it("tells a stream that is attached to only after the loss", async () => {
    const { client } = join();
    const stream = client.open();
    await client.close("enough");
    const late = new Reader(stream);
    await until(() => late.loss !== undefined);
    expect(late.loss?.code).toBe("lost");
  });

  it("still delivers what a stream had received in full before the link was lost", async () => {
    const { client, peer } = clientWithRawAgent();
    const stream = client.open();
    stream.finish();
    await until(() => peer.frames.length === 2);
    peer.send(data(1, "the whole answer"), fin(1));
    await until(() => client.openStreams === 0);
    peer.link.abort();
    await client.closed;
    const reader = new Reader(stream);
    await until(() => reader.isClosed);
    expect(reader.all.toString()).toBe("the whole answer");
    expect(reader.loss).toBeUndefined();
  });

  it("says why it ended, as an error of the registry", async () => {
    const { client, peer } = clientWithRawAgent();
    peer.link.close(closeCodes.peerSilent, "you were silent");
    await expect(client.closed).resolves.toEqual({
      code: closeCodes.peerSilent,
      reason: "you were silent",
      clean: false,
      local: false,
      error: "ERR_TUNNEL_PEER_SILENT",
    });
  });

  it("does not let the reason of a close write to a terminal", async () => {
    const { client, peer } = clientWithRawAgent();
    peer.link.close(1011, "a\u001b[2Jb");
    await expect(client.closed).resolves.toMatchObject({ reason: "a [2Jb" });
  });

  it.each([1001, 1006, 1011, 3000])("takes the relay's close code %i as a loss", async (code) => {
    const { client, peer } = clientWithRawAgent();
    peer.link.close(code, "");
    await expect(client.closed).resolves.toMatchObject({ clean: false, error: "ERR_TUNNEL_LOST" });
  });
});

describe("HELLO", () => {
  const wrong: readonly [string, unknown, keyof typeof closeCodes, string][] = [
    ["another version", { ...agentHelloJson, version: 2 }, "versionMismatch", "ERR_TUNNEL_VERSION"],
    [
      "another cluster",
      { ...agentHelloJson, cluster: "plant-8" },
      "wrongCluster",
      "ERR_TUNNEL_WRONG_CLUSTER",
    ],
    [
      "a server name of its own choice",
      { ...agentHelloJson, serverName: "evil" },
      "wrongCluster",
      "ERR_TUNNEL_WRONG_CLUSTER",
    ],
    [
      "a member missing",
      { ...agentHelloJson, caBundle: undefined },
      "protocolViolation",
      "ERR_TUNNEL_PROTOCOL",
    ],
    [
      "a limit below the default",
      { ...agentHelloJson, limits: { streams: 1 } },
      "protocolViolation",
      "ERR_TUNNEL_PROTOCOL",
    ],
    ["a client's members", clientHelloJson, "protocolViolation", "ERR_TUNNEL_PROTOCOL"],
    ["no object", 7, "protocolViolation", "ERR_TUNNEL_PROTOCOL"],
  ];

  it.each(wrong)("of an agent with %s ends the session", async (_, hello, code, error) => {
    const [clientLink, agentLink] = MemoryTransport.pair();
    const client = openClientSession(clientLink, { cluster, client: "c/1", logger: silentLogger });
    const peer = new RawPeer(agentLink);
    peer.sendHello(hello);
    await expect(client.agentHello).rejects.toMatchObject({ code: error });
    await expect(client.closed).resolves.toMatchObject({ code: closeCodes[code], clean: false, local: true });
    expect(clientLink.closeCalls).toHaveLength(1);
    expect(peer.closes).toHaveLength(1);
  });

  it("of a client with another version ends the session", async () => {
    const [agentLink, clientLink] = MemoryTransport.pair();
    const agent = acceptAgentSession(agentLink, {
      logger: silentLogger,
      hello: identity,
      onStream: () => undefined,
    });
    new RawPeer(clientLink).sendHello({ ...clientHelloJson, version: 7 });
    await expect(agent.closed).resolves.toMatchObject({ error: "ERR_TUNNEL_VERSION" });
  });

  it("that is not JSON ends the session", async () => {
    const [clientLink, agentLink] = MemoryTransport.pair();
    const client = openClientSession(clientLink, { cluster, client: "c/1", logger: silentLogger });
    new RawPeer(agentLink).send(Buffer.from("01000003000000007b7b7b", "hex"));
    await expect(client.closed).resolves.toMatchObject({ code: closeCodes.protocolViolation });
  });

  it("raises the credit of streams that are open already", async () => {
    const [clientLink, agentLink] = MemoryTransport.pair();
    const client = openClientSession(clientLink, { cluster, client: "c/1", logger: silentLogger });
    const peer = new RawPeer(agentLink);
    const stream = client.open();
    stream.write(Buffer.alloc(300_000));
    await until(() => stream.sent === 131_072);
    peer.sendHello({ ...agentHelloJson, limits: { initialCreditBytes: 262_144 } });
    await until(() => stream.sent === 262_144);
    await client.close(end.client);
  });

  it("lets a client open more streams than the default", async () => {
    const { client, agent } = join(undefined, {
      client: { limits: { streams: 600, heldBytes: 1e9 } },
      agent: { limits: { streams: 600, heldBytes: 1e9 } },
    });
    await client.agentHello;
    for (let count = 0; count < 600; count += 1) client.open();
    expect(() => client.open()).toThrow(expect.objectContaining({ code: "ERR_TUNNEL_FULL" }));
    await until(() => agent.openStreams === 600);
    await client.close(end.client);
  });

  it("that would not fit is refused at this end, as an operator's mistake", () => {
    const [link] = MemoryTransport.pair();
    const hello = { ...identity, caBundle: "x".repeat(70_000) };
    expect(() =>
      acceptAgentSession(link, { logger: silentLogger, hello, onStream: () => undefined }),
    ).toThrow(ClusterConnectError);
  });
});

describe("bounds on streams", () => {
  it("that were set below the defaults do not cut a client that goes by these", async () => {
    const limits = {
      messageBytes: 1_000,
      dataBytes: 1_000,
      initialCreditBytes: 1_000,
      creditCeilingBytes: 1_000,
    };
    const { agent, peer, accepted } = agentWithRawClient({ limits });
    peer.send(open(1), data(1, Buffer.alloc(65_536)), data(1, Buffer.alloc(65_536)));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!);
    await until(() => reader.bytes === 131_072);
    reader.stream.write(Buffer.alloc(5_000));
    await until(() => reader.stream.sent === 5_000);
    await turns(3);
    expect(Math.max(...peer.messages.slice(1).map((message) => message.length))).toBeLessThanOrEqual(1_100);
    await agent.close(end.client);
  });

  it("keep the client from opening more", async () => {
    const { client } = join(undefined, { client: { limits: { streams: 2 } } });
    client.open();
    client.open();
    expect(() => client.open()).toThrow(expect.objectContaining({ code: "ERR_TUNNEL_FULL" }));
    await client.close(end.client);
  });

  it("make the agent reset what is beyond them as busy, and go on", async () => {
    const { client, agent, accepted } = join(undefined, { agent: { limits: { streams: 2 } } });
    const readers = [1, 2, 3].map(() => new Reader(client.open()));
    readers[2]!.stream.write(Buffer.from("ignored, because it was under way"));
    await until(() => readers[2]!.loss !== undefined);
    expect(readers[2]!.loss).toEqual({ code: "busy", reason: "", local: false });
    expect(accepted).toHaveLength(2);
    readers[0]!.stream.reset("cancelled", "");
    await until(() => agent.openStreams === 1);
    client.open();
    await until(() => accepted.length === 3);
    await client.close(end.client);
  });

  it("count held bytes over all streams of a session", async () => {
    const { client, accepted } = join(undefined, { agent: { limits: { heldBytes: 3 * 131_072 } } });
    const readers = [1, 2, 3, 4].map(() => new Reader(client.open()));
    await until(() => readers[3]!.loss !== undefined);
    expect(readers[3]!.loss?.code).toBe("busy");
    expect(accepted).toHaveLength(3);
    await client.close(end.client);
  });
});
