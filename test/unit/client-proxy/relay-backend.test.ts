import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RelayBackend } from "../../../src/client-proxy/relay-backend";
import { silentLogger } from "../../../src/runtime/logger";

describe("the way through a relay", () => {
  let folder: string;
  let relay: Server;
  let dialled: number;
  let backend: RelayBackend;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "relay-backend-"));
    dialled = 0;
    relay = createServer((socket) => {
      dialled += 1;
      socket.destroy();
    });
    await once(relay.listen(0, "127.0.0.1"), "listening");
    const request = {
      instanceDirectory: folder,
      cluster: "plant-7",
      contextName: "plant-7",
      listen: { host: "127.0.0.1", port: 0 },
      logLevel: "info" as const,
      backend: {
        kind: "relay" as const,
        url: `http://127.0.0.1:${String((relay.address() as AddressInfo).port)}`,
        credential: { kind: "sas" as const, keyName: "ci", key: "x" },
        clusterCredential: { kind: "static" as const, token: "e30.e30.c2ln" },
        clusterCa: [],
        maxStreams: 8,
      },
    };
    backend = new RelayBackend(request, silentLogger, {
      onReachable: () => undefined,
      onFailure: () => undefined,
      onLost: () => undefined,
      onPhase: () => undefined,
    });
  });
  afterEach(async () => {
    await backend.stop();
    relay.close();
    rmSync(folder, { recursive: true });
  });

  it("dials once it has its tokens", async () => {
    const arrival = once(relay, "connection");
    await backend.start();
    await arrival;
    expect(dialled).toBe(1);
  });

  it("dials nobody when it was stopped before it started, or while it asked for tokens", async () => {
    const refused = expect(backend.start()).rejects.toThrow("stopping");
    await backend.stop();
    await refused;
    await expect(backend.start()).rejects.toThrow("stopping");
    expect(await backend.session(50)).toBeUndefined();
    expect(dialled).toBe(0);
  });
});
