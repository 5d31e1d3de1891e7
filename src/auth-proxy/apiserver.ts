import type { ClientRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { ApiserverTarget } from "./apiserver-target";
import type { OutgoingHeaders } from "./outgoing-headers";
import type { OwnCredential } from "./own-credential";
import { sendOwnRequest, type OwnAnswer } from "./own-request";
import type { AuthProxyLimits } from "./settings";

export interface OutgoingHead {
  readonly method: string;
  /** The raw request target, untouched: its dots and slashes are the apiserver's to read. */
  readonly target: string;
  /** Cannot be made without an identity. */
  readonly headers: OutgoingHeaders;
}

/**
 * The one way to the apiserver. Callers' requests pass only as OutgoingHeaders; the proxy's own few requests (its
 * readiness probe, its certificate Secret) have methods of their own and carry nothing of a caller's.
 */
export class Apiserver {
  readonly #kept: Agent;
  readonly #single: Agent;
  readonly #sockets = new Set<Socket>();

  constructor(
    private readonly target: ApiserverTarget,
    readonly credential: OwnCredential,
    private readonly limits: AuthProxyLimits,
  ) {
    const connection = {
      ...(target.caPem === undefined ? {} : { ca: target.caPem }),
      ...(target.serverName === undefined ? {} : { servername: target.serverName }),
      ...(target.clientCertificate === undefined
        ? {}
        : { cert: target.clientCertificate.certPem, key: target.clientCertificate.keyPem }),
      // HTTP/1.1 on both: Node's h2 client would put all callers behind one connection's window.
      ALPNProtocols: ["http/1.1"],
    };
    this.#kept = new Agent({
      ...connection,
      keepAlive: true,
      keepAliveMsecs: 30_000,
      timeout: limits.apiserverIdleTimeoutMs,
      maxFreeSockets: limits.apiserverIdleConnections,
      scheduling: "lifo",
    });
    // An upgraded connection is never used again, whatever the answer was (CVE-2018-1002105).
    this.#single = new Agent({
      ...connection,
      keepAlive: false,
      allowHalfOpen: true,
    } as ConstructorParameters<typeof Agent>[0]);
  }

  get host(): string {
    return this.target.url.host;
  }

  /** Begins a request of a caller's. */
  request(head: OutgoingHead): ClientRequest {
    return this.#send(head, this.#kept);
  }

  /** The same on a connection of its own, for an upgrade. */
  upgradeRequest(head: OutgoingHead): ClientRequest {
    return this.#send(head, this.#single);
  }

  /** Whether anybody answers. Sent without the proxy's token: any status is an answer. */
  async probe(): Promise<void> {
    await this.#sendAsSelf("GET", "/version", ["Host", this.host]);
  }

  /** A request of the proxy's own, as its own service account; never on behalf of anybody. */
  requestAsSelf(method: string, path: string, document?: object): Promise<OwnAnswer> {
    const authorization = this.credential.authorization();
    const body = document === undefined ? undefined : JSON.stringify(document);
    const headers = [
      ...["Host", this.host, "Accept", "application/json"],
      ...(authorization === undefined ? [] : ["Authorization", authorization]),
      ...(body === undefined
        ? []
        : ["Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(body))]),
    ];
    return this.#sendAsSelf(method, path, headers, body);
  }

  /** Drops every connection to the apiserver, upgraded ones included, which no agent knows of any more. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#kept.destroy();
    this.#single.destroy();
  }

  #sendAsSelf(method: string, path: string, headers: string[], body?: string): Promise<OwnAnswer> {
    const signal = AbortSignal.timeout(this.limits.apiserverConnectTimeoutMs);
    return sendOwnRequest({ ...this.#options(method, path, headers), agent: this.#kept, signal }, body);
  }

  #send({ method, target, headers }: OutgoingHead, agent: Agent): ClientRequest {
    const raw = headers.toRaw(this.credential.authorization());
    const request = httpsRequest({ ...this.#options(method, target, raw), agent });
    limitConnectTime(request, this.limits.apiserverConnectTimeoutMs);
    request.once("socket", (socket) => {
      if (this.#sockets.has(socket)) return;
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    return request;
  }

  #options(method: string, target: string, headers: string[]) {
    const { hostname, port, pathname } = this.target.url;
    return {
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? 443 : Number(port),
      method,
      path: pathname.replace(/\/$/, "") + target,
      headers,
    };
  }
}

/** Bounds DNS, TCP and TLS together; once the handshake is done, an answer may take as long as it takes. */
function limitConnectTime(request: ClientRequest, ms: number): void {
  const timer = setTimeout(() => request.destroy(new Error(`no connection within ${String(ms)} ms`)), ms);
  const stop = () => clearTimeout(timer);
  request.once("close", stop).once("socket", (socket) => {
    if (request.reusedSocket) stop();
    else socket.once("secureConnect", stop);
  });
}
