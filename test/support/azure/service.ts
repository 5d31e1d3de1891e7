import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestCertificate } from "../certificate";

export interface ServiceRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
  /** Sends only that many bytes of the body it has announced, then cuts the connection. */
  readonly truncateAt?: number;
}

/** What a service does instead of answering. */
export type Outage = "hangs-up" | ServiceAnswer;

/**
 * A remote service on loopback that obeys what is known of the real one and nothing else: what its `answer` has no
 * answer for is a violation, which the test's end must find none of.
 */
export class Service {
  readonly requests: ServiceRequest[] = [];
  /** What was asked that the real service is not known to take. */
  readonly violations: string[] = [];
  outage: Outage | undefined;
  /** How long each answer is under way. */
  delayMs = 0;
  readonly #server;

  private constructor(
    readonly name: string,
    private readonly certificate: TestCertificate | undefined,
    private readonly answer: (request: ServiceRequest, service: Service) => Promise<ServiceAnswer>,
  ) {
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#serve(request, response);
    this.#server =
      certificate === undefined
        ? createHttpServer(listener)
        : createHttpsServer({ cert: certificate.certPem, key: certificate.keyPem }, listener);
  }

  static async start(
    name: string,
    certificate: TestCertificate | undefined,
    answer: (request: ServiceRequest, service: Service) => Promise<ServiceAnswer>,
  ): Promise<Service> {
    const service = new Service(name, certificate, answer);
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  }

  /** Notes what must not be, and gives an answer that cannot be taken for a success. */
  violation(what: string): ServiceAnswer {
    this.violations.push(`${this.name}: ${what}`);
    return { status: 400, body: { error: { code: "SimulatorViolation", message: what } } };
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const request: ServiceRequest = {
        method: incoming.method ?? "",
        url: new URL(incoming.url ?? "", this.url),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      this.requests.push(request);
      if (this.outage === "hangs-up") return void incoming.socket.destroy();
      const answer = this.outage ?? (await this.answer(request, this));
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      send(response, answer);
    } catch (error) {
      this.violations.push(`${this.name}: ${String(error)}`);
      response.destroy();
    }
  }
}

function send(response: ServerResponse, { status, headers, body = "", truncateAt }: ServiceAnswer): void {
  const isText = typeof body === "string" || Buffer.isBuffer(body);
  const bytes = isText ? Buffer.from(body as string) : Buffer.from(JSON.stringify(body));
  const type = isText ? {} : { "Content-Type": "application/json" };
  response.writeHead(status, { ...type, "Content-Length": bytes.length, ...headers });
  if (truncateAt === undefined) response.end(bytes);
  else response.write(bytes.subarray(0, truncateAt), () => response.destroy());
}
