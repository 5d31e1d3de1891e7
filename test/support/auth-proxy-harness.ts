import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions as HttpRequestOptions,
} from "node:http";
import { connect as connectNet, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { startAuthProxy, type AuthProxy } from "../../src/auth-proxy/auth-proxy";
import { authProxySettings, type AuthProxySettingsInput } from "../../src/auth-proxy/settings";
import { createLogger } from "../../src/runtime/logger";
import { Shutdown } from "../../src/runtime/shutdown";
import { startIssuer, type TestIssuer } from "./issuer";
import { startRecordingApiserver, type RecordingApiserver } from "./recording-apiserver";

export const testSession = "9f1c2d3e-0000-4000-8000-00000000a11c";

export interface AuthProxyHarness {
  readonly proxy: AuthProxy;
  readonly issuer: TestIssuer;
  readonly apiserver: RecordingApiserver;
  readonly socketPath: string;
  readonly directory: string;
  readonly tokenFile: string;
  /** Parsed log lines so far. */
  readonly log: Record<string, unknown>[];
  /** Waits for a log line with this event (and these fields). */
  logged(event: string, fields?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** TLS through the unix socket, PROXY header included, as the agent and kubectl together do. */
  connect(alpn?: "http/1.1" | "h2"): Promise<TLSSocket>;
  /** The socket alone, before any TLS. */
  connectRaw(): Promise<Socket>;
  http2(): Promise<ClientHttp2Session>;
  /** One HTTP/1.1 request on a connection of its own. */
  request(options: RequestOptions): ClientRequest;
  fetch(options: RequestOptions & { body?: string | Buffer }): Promise<Answer>;
  authorization(): Promise<string>;
  shutdown(): Promise<void>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly path?: string;
  /** A flat list, or an object. */
  readonly headers?: string[] | Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: string[];
  readonly body: string;
}

/** The PROXY v2 header that the agent writes. */
export function proxyHeader(value = `${testSession}/7`): Buffer {
  const tlv = Buffer.concat([Buffer.from([0xe0, 0, value.length]), Buffer.from(value)]);
  const head = Buffer.from("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "latin1");
  head.writeUInt16BE(tlv.length, 14);
  return Buffer.concat([head, tlv]);
}

type SettingsOverrides = Partial<AuthProxySettingsInput>;

/** A real auth proxy between a real issuer and a recording apiserver, all in this process. */
export async function startAuthProxyHarness(
  overrides: SettingsOverrides | ((issuerUrl: string) => SettingsOverrides) = {},
  moreMappings: Readonly<Record<string, unknown>> = {},
): Promise<AuthProxyHarness> {
  const directory = await mkdtemp(join(tmpdir(), "auth-proxy-"));
  const [issuer, apiserver] = await Promise.all([startIssuer(), startRecordingApiserver()]);
  const socketPath = join(directory, "api.sock");
  const tokenFile = join(directory, "token");
  await writeFile(tokenFile, "own-token-1\n");
  await writeFile(join(directory, "ca.crt"), apiserver.caPem);
  const settings = authProxySettings.parse({
    cluster: "plant-7",
    listen: { socket: socketPath },
    apiserver: { url: apiserver.url, caFile: join(directory, "ca.crt"), tokenFile },
    tls: { directory: join(directory, "tls") },
    authentication: {
      jwt: [
        {
          issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"] },
          claimMappings: {
            username: { claim: "sub", prefix: "github:" },
            groups: { claim: "groups", prefix: "github:" },
            ...moreMappings,
          },
        },
      ],
    },
    ...(typeof overrides === "function" ? overrides(issuer.url) : overrides),
  });
  const log: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "debug",
    write: (line) => log.push(JSON.parse(line) as Record<string, unknown>),
  });
  const shutdown = new Shutdown(logger);
  const stop = async () => {
    await Promise.all([shutdown.run(), apiserver.close(), issuer.close()]);
    await rm(directory, { recursive: true, force: true });
  };
  const proxy = await startAuthProxy(settings, { logger, shutdown, environment: {} }).catch(
    async (error: unknown) => {
      await stop();
      throw error;
    },
  );
  const opened = new Set<{ destroy(): unknown }>();

  const connectRaw = async () => {
    const { listen } = settings;
    const socket = "socket" in listen ? connectNet(listen.socket) : connectNet(proxy.port!, listen.host);
    opened.add(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  };
  const secure = (socket: Socket, alpn: string) => {
    const { listen } = settings;
    if ("socket" in listen || listen.proxyHeader) socket.write(proxyHeader());
    const options = { ca: proxy.caBundle, servername: proxy.serverName, ALPNProtocols: [alpn] };
    const tls = connectTls({ socket, ...options });
    opened.add(tls);
    tls.on("error", () => undefined);
    return tls;
  };
  const connect = async (alpn: "http/1.1" | "h2" = "http/1.1") => {
    const tls = secure(await connectRaw(), alpn);
    await once(tls, "secureConnect");
    return tls;
  };
  const request = (options: RequestOptions) => {
    const settled: HttpRequestOptions = {
      path: "/api",
      ...options,
      createConnection: (_, callback) => {
        connect().then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, undefined as never),
        );
        return undefined;
      },
    };
    const result = httpRequest(settled);
    result.on("error", () => undefined);
    return result;
  };
  const authorization = async () => `Bearer ${await issuer.mint()}`;

  return {
    proxy,
    issuer,
    apiserver,
    socketPath,
    directory,
    tokenFile,
    log,
    connect,
    connectRaw,
    request,
    authorization,
    async logged(event, fields = {}) {
      const deadline = Date.now() + 5_000;
      for (;;) {
        const matches = (line: Record<string, unknown>) =>
          line.event === event && Object.entries(fields).every(([key, value]) => line[key] === value);
        const found = log.find(matches);
        if (found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`no ${event} in ${JSON.stringify(log.slice(-3))}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async http2() {
      const socket = await connect("h2");
      const session = connectHttp2("https://plant-7", { createConnection: () => socket });
      opened.add(session);
      session.on("error", () => undefined);
      return session;
    },
    async fetch({ body, ...options }) {
      const sent = request({
        ...options,
        headers: options.headers ?? { Authorization: await authorization() },
      });
      sent.end(body);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return {
        status: response.statusCode!,
        headers: response.headers,
        rawHeaders: response.rawHeaders,
        body: Buffer.concat(chunks).toString(),
      };
    },
    shutdown: () => shutdown.run(),
    async close() {
      for (const item of opened) item.destroy();
      await stop();
    },
  };
}
