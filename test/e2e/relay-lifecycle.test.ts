import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { createSasToken } from "../../src/hybrid-connections/sas-token";
import { sendHttpRequest } from "../../src/runtime/http-request";
import { startBundle, type BundleProcess } from "../support/bundle-process";
import { createTestCertificate, type TestCertificate } from "../support/certificate";
import { eventually } from "../support/eventually";
import { freePort } from "../support/free-port";
import { RawWebSocket } from "../support/raw-websocket";

const key = "k".repeat(44);

/** The shipped relay as an operator runs it: starts, is watched, is told to stop. */
describe("the relay as a process", () => {
  let folder: string;
  let certificate: TestCertificate;
  let relay: BundleProcess;
  let port: number;
  const dialled: RawWebSocket[] = [];

  beforeAll(async () => {
    certificate = await createTestCertificate();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "relay-"));
  });
  afterEach(async () => {
    for (const { socket } of dialled.splice(0)) socket.destroy();
    await relay.stop("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const useCertificate = ({ certPem, keyPem }: TestCertificate) => ({
    certFile: file("tls.crt", certPem),
    keyFile: file("tls.key", keyPem),
  });
  const settings = (changes: object = {}) => ({
    publicUrl: `https://127.0.0.1:${port}`,
    listen: { host: "127.0.0.1", port },
    tls: useCertificate(certificate),
    clusters: [
      {
        name: "plant-7",
        agents: { keys: [{ name: "k", keyFile: file("a.key", key) }] },
        clients: { keys: [{ name: "k", keyFile: file("c.key", key) }] },
      },
    ],
    ...changes,
  });
  async function start(changes: object = {}): Promise<void> {
    port = await freePort();
    const config = file("relay.yaml", stringify(settings(changes)));
    relay = await startBundle(["relay", "--config", config]);
  }

  const token = () =>
    createSasToken({
      relay: new URL(`https://127.0.0.1:${port}`),
      entity: "plant-7",
      keyName: "k",
      key,
      lifetimeMs: 60_000,
    });
  async function dial(target: string, ca = certificate.caPem): Promise<RawWebSocket> {
    const raw = await RawWebSocket.dial(new URL(target, `wss://127.0.0.1:${port}`), {
      headers: { ServiceBusAuthorization: token() },
      tls: { ca },
    });
    dialled.push(raw);
    return raw;
  }
  const listen = async () => {
    const raw = await dial("/$hc/plant-7?sb-hc-action=listen");
    expect((await raw.answer).status).toBe(101);
    return raw;
  };
  async function joined() {
    const channel = await listen();
    const sender = await dial("/$hc/plant-7?sb-hc-action=connect");
    const text = await channel.read();
    const { accept } = JSON.parse(text.slice(2)) as { accept: { address: string } };
    const listener = await dial(accept.address);
    await Promise.all([sender.answer, listener.answer]);
    return { channel, sender, listener };
  }
  const health = async (path: string) => {
    const url = new URL(`http://127.0.0.1:${String(relay.ready["healthPort"])}${path}`);
    const { status, body } = await sendHttpRequest({ url, direct: true });
    return { status, body };
  };
  const logged = (event: string) =>
    relay
      .output()
      .split("\n")
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it("says that it is ready, on which ports, and serves its health beside", async () => {
    await start();
    expect(relay.ready).toMatchObject({ ready: true, port, publicUrl: `https://127.0.0.1:${port}` });
    expect(await health("/healthz")).toEqual({ status: 200, body: "ok\n" });
    expect(await health("/readyz")).toEqual({ status: 200, body: "ok\n" });
    expect((await health("/other")).status).toBe(404);
  });

  it("counts what it does", async () => {
    await start();
    const { sender, listener } = await joined();
    sender.send(2, "x".repeat(1_000));
    await listener.next();
    await (
      await dial("/$hc/other")
    ).answer;
    const { body } = await health("/metrics");
    for (const line of [
      "listeners 1",
      "links 1",
      "pending_senders 0",
      "parked_handshakes 0",
      "held_bytes 0",
      "links_opened_total 1",
      "links_lost_total 0",
      'admitted_total{right="listen"} 1',
      'admitted_total{right="send"} 1',
      'refused_total{reason="no_endpoint"} 1',
      // Header, mask and payload.
      'bytes_total{from="sender"} 1008',
      'bytes_total{from="listener"} 0',
    ]) {
      expect(body).toContain(`\ncluster_connect_relay_${line}\n`);
    }
    expect(body).toMatch(/^cluster_connect_relay_resident_memory_bytes \d{7,}$/m);
    expect(body).not.toContain("plant-7");
  });

  it("logs each decision with who and why, and no credential", async () => {
    await start();
    const { sender } = await joined();
    sender.socket.destroy();
    await eventually(() => logged("link.closed").length === 1);
    expect(logged("admitted")).toMatchObject([
      { right: "listen", cluster: "plant-7", who: "key k" },
      { right: "send", cluster: "plant-7", who: "key k" },
    ]);
    expect(logged("link.closed")).toMatchObject([{ cluster: "plant-7", clean: false }]);
    await (
      await dial("/$hc/other?sb-hc-token=SharedAccessSignature%20secret-part")
    ).answer;
    // The answer may be here before the line is.
    await eventually(() => logged("refused").length > 0);
    expect(logged("refused")).toMatchObject([{ path: "other", status: 404, remoteAddress: "127.0.0.1" }]);
    expect(relay.output()).not.toMatch(/sig=|secret-part|kkkk/);
  });

  it("takes a new certificate up without dropping what is open", async () => {
    await start({ timers: { tlsReloadMs: 30 } });
    const { sender, listener } = await joined();
    const next = await createTestCertificate();
    useCertificate(next);
    await eventually(() => logged("tls.reloaded").length === 1);
    const raw = await dial("/$hc/other", next.caPem);
    expect((await raw.answer).status).toBe(404);
    await expect(dial("/$hc/other", certificate.caPem)).rejects.toThrow();
    sender.send(2, "still");
    expect(await listener.read()).toBe("2:still");
    file("tls.key", "no key");
    await eventually(() => logged("tls.reload_failed").length === 1);
    expect((await (await dial("/$hc/other", next.caPem)).answer).status).toBe(404);
  });

  it("told to stop, takes nobody in, tells both ends, and lets open links finish", async () => {
    await start();
    const { channel, sender, listener } = await joined();
    const waitingChannel = await listen();
    const waiting = await dial("/$hc/plant-7?sb-hc-action=connect");
    await Promise.race([channel.next(), waitingChannel.next()]);
    relay.child.kill("SIGTERM");
    const { status, reason } = await waiting.answer;
    expect([status, reason.split(".")[0]]).toEqual([503, "The relay is shutting down"]);
    await eventually(() => logged("stopping").length === 1);
    expect(await health("/readyz")).toEqual({ status: 503, body: "draining\n" });
    expect((await health("/healthz")).status).toBe(200);
    for (const target of ["listen", "connect"]) {
      expect((await (await dial(`/$hc/plant-7?sb-hc-action=${target}`)).answer).status).toBe(503);
    }
    sender.send(2, "to the end");
    expect(await listener.read()).toBe("2:to the end");
    listener.close(1000, "done");
    expect(await sender.read()).toBe("close:1000:done");
    sender.close(1000);
    expect(await listener.read()).toBe("close:1000:");
    expect(await relay.stop("SIGCONT")).toBe(0);
  });

  it("closes what is still open when its time is over, and tells both ends", async () => {
    await start({ timers: { drainMs: 50 } });
    const { sender, listener } = await joined();
    relay.child.kill("SIGTERM");
    const farewell = "close:1001:the relay is shutting down";
    expect([await sender.read(), await listener.read()]).toEqual([farewell, farewell]);
    expect(await relay.stop("SIGCONT")).toBe(0);
  });

  it("ends at once when it is told twice", async () => {
    await start();
    await joined();
    relay.child.kill("SIGTERM");
    await eventually(() => logged("stopping").length === 1);
    relay.child.kill("SIGTERM");
    expect(await relay.stop("SIGCONT")).toBe(1);
  });

  it.each<[string, object, string]>([
    ["a port that is taken", {}, "ERR_RELAY_LISTEN_FAILED"],
    ["a certificate that is none", { tls: "broken" }, "ERR_RELAY_CERTIFICATE_INVALID"],
    [
      "plain HTTP on every address",
      { tls: undefined, listen: { host: "0.0.0.0", port: 1 } },
      "ERR_SETTINGS_INVALID",
    ],
    ["no credential", { clusters: [{ name: "plant-7" }] }, "ERR_SETTINGS_INVALID"],
    ["a key that is misspelt", { pulbicUrl: "x" }, 'did you mean \\"publicUrl\\"'],
  ])("does not start with %s, and says so", async (_, changes, words) => {
    await start();
    const tls = "tls" in changes && changes.tls === "broken";
    const broken = { certFile: file("broken.crt", "x"), keyFile: file("broken.key", "x") };
    const document = { ...settings(changes), ...(tls ? { tls: broken } : {}) };
    const config = file("second.yaml", stringify(document));
    await expect(startBundle(["relay", "--config", config])).rejects.toThrow(words);
  });

  it("answers a person's browser in words, and closes", async () => {
    await start();
    for (const [path, status, words] of [
      ["/", 404, "This is a Cluster Connect relay"],
      ["/$hc/plant-7", 400, "only for web-socket requests"],
    ] as const) {
      const url = new URL(path, `https://127.0.0.1:${port}`);
      const answer = await sendHttpRequest({ url, direct: true, caPem: certificate.caPem });
      expect([answer.status, answer.headers["connection"]]).toEqual([status, "close"]);
      expect(answer.body).toContain(words);
    }
  });

  it("waits for nobody who connects and says nothing", async () => {
    await start({ timers: { tlsHandshakeMs: 80 } });
    const socket = connect({ port, host: "127.0.0.1" });
    await once(
      socket.resume().on("error", () => undefined),
      "close",
    );
    const { body } = await health("/metrics");
    expect(body).toContain('refused_total{reason="tls_handshake"} 1');
  });
});
