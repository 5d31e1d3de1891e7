import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Relay } from "../../src/relay/relay";
import { startRelayServer, type RelayServer } from "../../src/relay/server";
import { relaySettings, type RelaySettings } from "../../src/relay/settings";
import { silentLogger, type Logger } from "../../src/runtime/logger";

export const listenKey = "listen-key-listen-key-listen-key-1";
export const sendKey = "send-key-send-key-send-key-send-key";

export interface RunningRelay {
  readonly url: URL;
  readonly relay: Relay;
  readonly settings: RelaySettings;
  close(): Promise<void>;
}

/** A relay inside the test's own process, on loopback without TLS, with one key to listen and one to send. */
export async function startRelay(
  overrides: Record<string, unknown> = {},
  {
    port = 0,
    logger = silentLogger,
    names = ["plant-7"],
  }: { port?: number; logger?: Logger; names?: readonly string[] } = {},
): Promise<RunningRelay> {
  const folder = mkdtempSync(join(tmpdir(), "relay-"));
  writeFileSync(join(folder, "listen.key"), listenKey);
  writeFileSync(join(folder, "send.key"), sendKey);
  const document = {
    listen: { host: "127.0.0.1", port },
    clusters: names.map((name) => ({
      name,
      agents: { keys: [{ name: "agent", keyFile: join(folder, "listen.key") }] },
      clients: { keys: [{ name: "client", keyFile: join(folder, "send.key") }] },
    })),
    publicUrl: "http://127.0.0.1:1",
    ...overrides,
  };
  // The public address holds the port, which is known once it listens: a probe finds one that is free.
  const probe = port === 0 ? await freePort() : port;
  const settings = relaySettings.parse({
    ...document,
    publicUrl: `${"tls" in overrides ? "https" : "http"}://127.0.0.1:${probe}`,
    listen: { host: "127.0.0.1", port: probe },
  });
  const relay = new Relay(settings, logger);
  const server: RelayServer = await startRelayServer(settings, logger, relay);
  return {
    url: new URL(settings.publicUrl),
    relay,
    settings,
    async close() {
      await relay.drain(0);
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
