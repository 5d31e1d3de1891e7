import { request as httpRequest } from "node:http";
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

function exchange(options: HttpRequest): Promise<HttpResponse> {
  const { url, timeoutMs = 10_000, maxBytes = 1_048_576 } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(url, {
      method: options.method ?? "GET",
      headers: options.headers ?? {},
      agent: options.direct === true ? false : createOutboundAgent(url, { caPem: options.caPem }),
      signal,
      ...(options.direct === true && options.caPem !== undefined ? { ca: options.caPem } : {}),
      ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    });
    request.on("error", (error) => {
      reject(
        timeout.aborted ? new Error(`no answer within ${String(timeoutMs)} ms`, { cause: error }) : error,
      );
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) response.destroy(new Error(`the answer exceeds ${String(maxBytes)} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        });
      });
    });
    request.end(options.body);
  });
}
