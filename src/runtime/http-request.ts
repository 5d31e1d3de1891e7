import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { ClusterConnectError, messageOf } from "./errors";
import { createOutboundAgent } from "./outbound";

export interface HttpRequest {
  readonly url: URL;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly caPem?: string | undefined;
  /** Checked against the certificate instead of the URL's host. */
  readonly serverName?: string | undefined;
  /** Past any outbound proxy: for this machine's own listeners, which NO_PROXY need not name. */
  readonly direct?: boolean;
  readonly timeoutMs?: number;
  /** An answer longer than this is an error, not a truncated success. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/**
 * One bounded HTTP request through the outbound proxy, if any; redirects are not followed. Any status is an
 * answer; ERR_HTTP_FAILED (with Node's error as cause) means that there was none, ERR_OUTBOUND_PROXY_… that the proxy
 * stood in the way.
 */
export async function sendHttpRequest(options: HttpRequest): Promise<HttpResponse> {
  try {
    return await exchange(options);
  } catch (error) {
    if (error instanceof ClusterConnectError) throw error;
    const target = `${options.method ?? "GET"} ${options.url.origin}`;
    throw new ClusterConnectError("ERR_HTTP_FAILED", `${target}: ${messageOf(error)}`, { cause: error });
  }
}

/** An answer whose body is still to come. */
export interface HttpStream {
  readonly status: number;
  readonly headers: HttpResponse["headers"];
  /** Must be read to its end or destroyed. Fails when nothing comes for `timeoutMs`, or `signal` aborts. */
  readonly body: IncomingMessage;
}

/** Like `sendHttpRequest` for a long answer: resolves with its head, for which `timeoutMs` counts anew at each piece. */
export async function openHttpStream(options: Omit<HttpRequest, "maxBytes" | "body">): Promise<HttpStream> {
  const { url, timeoutMs = 10_000 } = options;
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), timeoutMs);
  try {
    const body = await open(options, slow.signal, timeoutMs);
    body.setTimeout(timeoutMs, () => body.destroy(new Error(`nothing came for ${String(timeoutMs)} ms`)));
    return { status: body.statusCode ?? 0, headers: body.headers, body };
  } catch (error) {
    if (error instanceof ClusterConnectError) throw error;
    throw new ClusterConnectError("ERR_HTTP_FAILED", `GET ${url.origin}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function exchange(options: HttpRequest): Promise<HttpResponse> {
  const { timeoutMs = 10_000, maxBytes = 1_048_576 } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await open(options, timeout, timeoutMs);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    response.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) response.destroy(new Error(`the answer exceeds ${String(maxBytes)} bytes`));
      else chunks.push(chunk);
    });
    response.on("error", (error) => reject(timeout.aborted ? tooSlow(timeoutMs, error) : error));
    response.on("end", () => {
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      });
    });
  });
}

/** Sends the request and resolves with the answer's head. */
function open(options: HttpRequest, timeout: AbortSignal, timeoutMs: number): Promise<IncomingMessage> {
  const { url } = options;
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(url, {
      method: options.method ?? "GET",
      headers: { ...options.headers, ...lengthOf(options.body) },
      agent: options.direct === true ? false : createOutboundAgent(url, { caPem: options.caPem }),
      signal,
      ...(options.direct === true && options.caPem !== undefined ? { ca: options.caPem } : {}),
      ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    });
    request.on("error", (error) => reject(timeout.aborted ? tooSlow(timeoutMs, error) : error));
    request.on("response", resolve);
    request.end(options.body);
  });
}

/** Node announces no body of a GET: what came would be taken for the next request. */
const lengthOf = (body: string | undefined): Record<string, string> =>
  body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };

const tooSlow = (timeoutMs: number, cause: Error): Error =>
  new Error(`no answer within ${String(timeoutMs)} ms`, { cause });
