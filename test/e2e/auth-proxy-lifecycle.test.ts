import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { join } from "node:path";
import { startAuthProxy } from "../../src/auth-proxy/auth-proxy";
import { authProxySettings, type AuthProxySettingsInput } from "../../src/auth-proxy/settings";
import { silentLogger } from "../../src/runtime/logger";
import { Shutdown } from "../../src/runtime/shutdown";
import { proxyHeader, startAuthProxyHarness, type AuthProxyHarness } from "../support/auth-proxy-harness";

const until = async (condition: () => boolean) => {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it has not come to pass");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe("auth proxy life", () => {
  let harness: AuthProxyHarness;
  const start = async (overrides?: Partial<AuthProxySettingsInput>) =>
    (harness = await startAuthProxyHarness(overrides));
  afterEach(async () => {
    expect(harness.apiserver.withoutUser().filter(({ target }) => !target.includes("/secrets"))).toEqual([]);
    await harness.close();
  });

  /** A second auth proxy with the same settings, or others. */
  const startAgain = async (overrides: Partial<AuthProxySettingsInput> = {}) => {
    const shutdown = new Shutdown(silentLogger);
    const settings = authProxySettings.parse({
      cluster: "plant-7",
      listen: { socket: harness.socketPath },
      apiserver: {
        url: harness.apiserver.url,
        caFile: join(harness.directory, "ca.crt"),
        tokenFile: harness.tokenFile,
      },
      tls: { directory: join(harness.directory, "tls") },
      authentication: {
        jwt: [
          {
            issuer: { url: harness.issuer.url, audiences: ["cluster-connect/plant-7"] },
            claimMappings: { username: { claim: "sub", prefix: "" } },
          },
        ],
      },
      ...overrides,
    });
    try {
      return {
        shutdown,
        proxy: await startAuthProxy(settings, { logger: silentLogger, shutdown, environment: {} }),
      };
    } catch (error) {
      await shutdown.run();
      throw error;
    }
  };

  it("keeps its CA from one start to the next, for nobody else to read", async () => {
    await start();
    const { caPins } = harness.proxy;
    expect(caPins).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
    const directory = join(harness.directory, "tls");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of ["ca.pem", "leaf.pem"])
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    await harness.shutdown();
    const again = await startAgain();
    expect(again.proxy.caPins).toEqual(caPins);
    await again.shutdown.run();
  });

  it("hands its CA to the agent before it can be connected to, and never a key", async () => {
    await start();
    const bundle = readFileSync(`${harness.socketPath}.ca.pem`, "utf8");
    expect(bundle).toBe(harness.proxy.caBundle);
    expect(bundle).not.toContain("PRIVATE KEY");
    expect(statSync(harness.socketPath).mode & 0o777).toBe(0o660);
    expect(await harness.logged("certificates.ca")).toMatchObject({ pin: harness.proxy.caPins[0] });
  });

  it("hands its CA over in another file, where it is told one", async () => {
    await start();
    const caBundleFile = join(harness.directory, "handed-over.pem");
    const { shutdown, proxy } = await startAgain({
      listen: { socket: join(harness.directory, "other.sock") },
      tls: { directory: join(harness.directory, "tls"), caBundleFile },
    });
    expect(readFileSync(caBundleFile, "utf8")).toBe(proxy.caBundle);
    expect(existsSync(join(harness.directory, "other.sock.ca.pem"))).toBe(false);
    await shutdown.run();
  });

  it("is trusted by its own name, by localhost and by loopback address", async () => {
    await start();
    const { serverName, caBundle } = harness.proxy;
    for (const name of [
      { servername: serverName },
      { servername: "localhost" },
      { host: "127.0.0.1" },
      { host: "::1" },
    ]) {
      const socket = await harness.connectRaw();
      socket.write(proxyHeader());
      const secure = connectTls({ socket, ca: caBundle, ...name });
      await once(secure, "secureConnect");
      expect(secure.authorized).toBe(true);
      expect(secure.getProtocol()).toBe("TLSv1.3");
      secure.destroy();
    }
  });

  it("takes a socket over that a killed process left behind, and leaves a living one alone", async () => {
    await start();
    await expect(startAgain()).rejects.toMatchObject({ code: "ERR_AUTH_PROXY_LISTEN" });
    const stale = join(harness.directory, "stale.sock");
    const killed = createServer().listen(stale);
    await once(killed, "listening");
    // What a crash leaves: the file without the listener.
    const { linkSync, renameSync } = await import("node:fs");
    linkSync(stale, `${stale}.kept`);
    killed.close();
    await once(killed, "close");
    renameSync(`${stale}.kept`, stale);
    const again = await startAgain({ listen: { socket: stale } });
    await again.shutdown.run();
  });

  it("keeps its CA in a Secret, made once, whichever replica is first", async () => {
    await start();
    let secret: Record<string, unknown> | undefined;
    const writes: string[] = [];
    harness.apiserver.handle = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (!request.url?.includes("/secrets")) return response.end("{}");
        if (request.method === "GET") {
          return response.writeHead(secret ? 200 : 404).end(JSON.stringify(secret ?? {}));
        }
        writes.push(`${request.method} ${request.url}`);
        if (request.method === "POST" && secret) return response.writeHead(409).end("{}");
        const sent = JSON.parse(Buffer.concat(chunks).toString()) as { metadata: object };
        secret = { ...sent, metadata: { ...sent.metadata, resourceVersion: String(writes.length) } };
        response.writeHead(201).end(JSON.stringify(secret));
      });
    };
    const tls = { secret: "cluster-connect-tls", namespace: "cluster-connect" };
    const listen = { socket: join(harness.directory, "second.sock") };
    const first = await startAgain({ tls, listen });
    const second = await startAgain({ tls, listen: { socket: join(harness.directory, "third.sock") } });
    expect(second.proxy.caPins).toEqual(first.proxy.caPins);
    expect(writes).toEqual(["POST /api/v1/namespaces/cluster-connect/secrets"]);
    expect(Object.keys(secret!.data as object).sort()).toEqual(["ca.crt", "ca.key", "tls.crt", "tls.key"]);
    await first.shutdown.run();
    await second.shutdown.run();
  });

  it("reads its own token again when the apiserver refuses it, and repeats what can be repeated", async () => {
    await start();
    harness.apiserver.handle = (request, response) => {
      const isCurrent = request.headers.authorization === "Bearer own-token-2";
      response.writeHead(isCurrent ? 200 : 401, { "Content-Type": "application/json" }).end("{}");
    };
    expect(await harness.fetch({})).toMatchObject({ status: 503 });
    writeFileSync(harness.tokenFile, "own-token-2");
    const upload = await harness.fetch({ method: "POST", body: "{}" });
    expect(upload.status).toBe(503);
    expect(upload.headers["retry-after"]).toBeUndefined();
    expect(upload.body).toContain("ERR_APISERVER_REFUSED_PROXY");
    expect((await harness.fetch({ method: "POST", body: "{}" })).status).toBe(200);
    writeFileSync(harness.tokenFile, "own-token-1");
    harness.apiserver.handle = (request, response) => {
      response.writeHead(request.headers.authorization === "Bearer own-token-1" ? 200 : 401).end("{}");
    };
    expect((await harness.fetch({})).status).toBe(200);
  });

  it("reads its own token again after a while, and keeps the last one when it cannot", async () => {
    await start({ limits: { ownTokenRefreshMs: 10 } });
    writeFileSync(harness.tokenFile, "own-token-3");
    await new Promise((resolve) => setTimeout(resolve, 20));
    await harness.fetch({});
    const last = () => harness.apiserver.requests.filter(({ target }) => target === "/api").at(-1)!;
    expect(last().values("authorization")).toEqual(["Bearer own-token-3"]);
    writeFileSync(harness.tokenFile, "");
    await new Promise((resolve) => setTimeout(resolve, 20));
    await harness.fetch({});
    expect(last().values("authorization")).toEqual(["Bearer own-token-3"]);
    await harness.logged("own_token.unreadable");
  });

  it("leaves a 401 alone that an application behind the apiserver has given", async () => {
    await start();
    harness.apiserver.handle = (_, response) =>
      response.writeHead(401, { "WWW-Authenticate": "Basic" }).end("log in");
    const answer = await harness.fetch({ path: "/api/v1/namespaces/a/services/web/proxy/?x=/proxy/" });
    expect([answer.status, answer.body]).toEqual([401, "log in"]);
    expect((await harness.fetch({ path: "/api?x=/proxy/" })).status).toBe(503);
  });

  it("is ready while the apiserver answers, and asks without a credential", async () => {
    await start({ limits: { readinessProbeMs: 20 } });
    await until(() => harness.proxy.unreadyReason === undefined);
    await harness.apiserver.kill();
    await until(() => harness.proxy.unreadyReason?.startsWith("apiserver: ") === true);
    await harness.apiserver.restart();
    await until(() => harness.proxy.unreadyReason === undefined);
    const probe = harness.apiserver.requests.find(({ target }) => target === "/version")!;
    expect(probe.headers.map(([name]) => name)).not.toContain("Authorization");
  });

  it("lets requests finish when it is told to stop, and tells the rest that they are lost", async () => {
    await start({ limits: { drainMs: 300, lingerMs: 500 } });
    let finish: () => void = () => undefined;
    harness.apiserver.handle = (request, response) => {
      response.writeHead(200).flushHeaders();
      if (request.url === "/slow") finish = () => response.end("done");
      else response.write("event");
    };
    const open = async (path: string) => {
      const request = harness.request({ path, headers: { Authorization: await harness.authorization() } });
      request.end();
      return ((await once(request, "response")) as [IncomingMessage])[0];
    };
    const slow = await open("/slow");
    const watch = await open("/watch");
    const lost = once(watch.resume(), "error");
    let text = "";
    slow.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const stopped = harness.shutdown();
    finish();
    await once(slow, "end");
    expect(text).toBe("done");
    await lost;
    await stopped;
    await expect(harness.connect()).rejects.toThrow();
  });

  it("serves TCP without a PROXY header where it is told to, and resets what is lost", async () => {
    await start({ listen: { host: "127.0.0.1", port: 0 } });
    expect((await harness.fetch({})).status).toBe(200);
    harness.apiserver.handle = (_, response) => {
      response.writeHead(200).flushHeaders();
      setTimeout(() => response.socket?.destroy(), 20);
    };
    const socket = await harness.connectRaw();
    const failure = once(socket, "error").then(([error]) => (error as NodeJS.ErrnoException).code, String);
    const secure = connectTls({ socket, ca: harness.proxy.caBundle, servername: harness.proxy.serverName });
    const failed = new Promise((resolve) => secure.once("error", (error) => resolve(error)));
    await once(secure, "secureConnect");
    secure
      .resume()
      .write(`GET /api HTTP/1.1\r\nHost: a\r\nAuthorization: ${await harness.authorization()}\r\n\r\n`);
    const error = (await Promise.race([failed, failure])) as NodeJS.ErrnoException | string;
    expect(typeof error === "string" ? error : error.code).toBe("ECONNRESET");
  });

  it("answers 429 with Retry-After beyond its bound of requests", async () => {
    await start({ limits: { requests: 1 } });
    harness.apiserver.handle = (_, response) => response.writeHead(200).flushHeaders();
    const watch = harness.request({ headers: { Authorization: await harness.authorization() } });
    watch.end();
    await once(watch, "response");
    const answer = await harness.fetch({});
    expect(answer.status).toBe(429);
    expect(answer.headers["retry-after"]).toBe("1");
    watch.destroy();
  });

  it("drops who is slow with the PROXY header, with TLS, or with the head of a request", async () => {
    await start({
      limits: { proxyHeaderTimeoutMs: 500, tlsHandshakeTimeoutMs: 500, headersTimeoutMs: 500 },
    });
    const silent = await harness.connectRaw();
    await once(silent.resume(), "close");
    const slowTls = await harness.connectRaw();
    slowTls.resume().write(Buffer.concat([proxyHeader(), Buffer.from([0x16, 3, 1, 1])]));
    await once(slowTls, "close");
    const slowHead = await harness.connect();
    let text = "";
    slowHead.on("data", (chunk: Buffer) => (text += chunk.toString()));
    slowHead.write("GET /api HTTP/1.1\r\nHost:");
    await once(slowHead, "end");
    expect(text).toContain('"kind":"Status"');
  });

  it("takes no more handshakes, and no more connections, than its bounds", async () => {
    await start({ limits: { handshakes: 2, connections: 3 } });
    const waiting = [await harness.connectRaw(), await harness.connectRaw()];
    const refused = await harness.connectRaw();
    await once(refused.resume(), "close");
    for (const socket of waiting) socket.destroy();
    const closed = () => harness.log.filter(({ reason }) => reason === "closed before the PROXY header");
    await until(() => closed().length === 2);
    const open = [await harness.connect(), await harness.connect(), await harness.connect()];
    const excess = await harness.connectRaw();
    await once(excess.resume(), "close");
    for (const socket of open) socket.destroy();
  });
});
