import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "../../src/agent/agent";
import { agentSettings } from "../../src/agent/settings";
import { dialSender } from "../../src/hybrid-connections/sender";
import { createSasToken } from "../../src/hybrid-connections/sas-token";
import { subprotocol } from "../../src/protocol/subprotocol";
import { silentLogger } from "../../src/runtime/logger";
import { openClientSession, type ClientSession } from "../../src/tunnel/session-client";
import type { ResetCode } from "../../src/protocol/codes";
import type { TunnelStream } from "../../src/tunnel/stream";
import { createWebSocketTransport } from "../../src/tunnel/websocket-transport";
import { createTestCertificate } from "./certificate";
import { listenKey, sendKey } from "./relay-process";

/** Length of a PROXY v2 header, by the length that it names. */
const proxyHeaderBytes = (firstChunk: Buffer) => 16 + firstChunk.readUInt16BE(14);

/** A unix socket that echoes what comes after the PROXY header, as the agent's target. */
export class EchoTarget {
  readonly folder = mkdtempSync(join(tmpdir(), "target-"));
  readonly socketPath = join(this.folder, "api.sock");
  /** Of each connection so far. */
  readonly proxyHeaders: string[] = [];
  readonly sockets = new Set<Socket>();
  #server: Server | undefined;

  async writeCa(): Promise<void> {
    writeFileSync(`${this.socketPath}.ca.pem`, (await createTestCertificate()).caPem);
  }

  async listen(): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.add(socket.on("error", () => undefined));
      socket.once("close", () => this.sockets.delete(socket));
      socket.once("data", (first: Buffer) => {
        const length = proxyHeaderBytes(first);
        this.proxyHeaders.push(first.subarray(0, length).toString("latin1"));
        socket.write(first.subarray(length));
        socket.pipe(socket);
      });
    }).listen(this.socketPath);
    await once(this.#server, "listening");
  }

  /** Stops listening and drops every connection. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.#server?.listening !== true) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An agent in the test's own process, listening at `relayUrl` with the key that `startRelay` knows. */
export function createTestAgent(relayUrl: URL, target: EchoTarget, limits: object = {}): Agent {
  const keyFile = join(target.folder, "agent.key");
  writeFileSync(keyFile, listenKey);
  const settings = agentSettings.parse({
    relay: { url: relayUrl.origin, cluster: "plant-7", credential: { keyName: "agent", keyFile } },
    target: { socket: target.socketPath },
    limits: { targetProbeMs: 20, ...limits },
  });
  return new Agent(settings, "cluster-connect/test", silentLogger);
}

export async function openTestSession(relayUrl: URL): Promise<ClientSession> {
  const authorization = createSasToken({
    relay: relayUrl,
    entity: "plant-7",
    keyName: "client",
    key: sendKey,
    lifetimeMs: 60_000,
  });
  const webSocket = await dialSender({ relayUrl, cluster: "plant-7", authorization, subprotocol });
  return openClientSession(createWebSocketTransport(webSocket), {
    cluster: "plant-7",
    client: "cluster-connect/test",
    logger: silentLogger,
  });
}

/** What comes of a stream: its text so far, the first piece of it, and its reset. */
export function readStream(stream: TunnelStream): {
  readonly first: Promise<string>;
  readonly reset: Promise<{ code: ResetCode; reason: string }>;
  readonly finished: Promise<void>;
} {
  let onFirst: (text: string) => void;
  let onReset: (reset: { code: ResetCode; reason: string }) => void;
  let onFinished: () => void;
  const result = {
    first: new Promise<string>((resolve) => (onFirst = resolve)),
    reset: new Promise<{ code: ResetCode; reason: string }>((resolve) => (onReset = resolve)),
    finished: new Promise<void>((resolve) => (onFinished = resolve)),
  };
  stream.attach({
    data(chunk) {
      onFirst(chunk.toString("utf8"));
      stream.consumed(chunk.length);
    },
    drain: () => undefined,
    finished: () => onFinished(),
    reset: (code, reason) => onReset({ code, reason }),
  });
  return result;
}
