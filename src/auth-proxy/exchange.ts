/** One request and its answer, the same to the pipeline whether they came over HTTP/1.1 or HTTP/2. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Readable, Writable } from "node:stream";
import { abortSocket } from "./abort-socket";
import { headerLines, valuesOf, type HeaderLines } from "./header-lines";
import type { StreamOrigin } from "./proxy-header";

export interface Exchange {
  readonly protocol: "HTTP/1.1" | "HTTP/2";
  readonly method: string;
  readonly target: string;
  readonly lines: HeaderLines;
  readonly hasBody: boolean;
  readonly origin: StreamOrigin;
  readonly body: Readable;
  /** True when the body ended because its sender was lost, not because it was all there. */
  bodyWasCut(): boolean;
  /** Answers `Expect: 100-continue`; a request that is refused never gets so far. */
  sendContinue(): void;
  /** Sends the head of the answer at once, however long the first byte of the body may take. */
  begin(status: number, lines: HeaderLines): void;
  /** Where the answer's body goes. Ended by the holder only when all of it is there. */
  readonly out: Writable;
  /** The caller has gone. */
  isClosed(): boolean;
  /** Makes the answer visibly incomplete. */
  abort(): void;
  /** Stops reading the rest of an upload. */
  cutUpload(): void;
}

export interface Arrival {
  readonly origin: StreamOrigin;
  readonly expectsContinue: boolean;
}

export function http1Exchange(
  request: IncomingMessage,
  response: ServerResponse,
  { origin, expectsContinue }: Arrival,
): Exchange {
  const lines = headerLines(request.rawHeaders);
  const socket = request.socket;
  const [length] = valuesOf(lines, "content-length");
  return {
    protocol: "HTTP/1.1",
    method: request.method ?? "",
    target: request.url ?? "",
    lines,
    hasBody: valuesOf(lines, "transfer-encoding").length > 0 || (length !== undefined && length !== "0"),
    origin,
    body: request,
    bodyWasCut: () => !request.complete,
    sendContinue() {
      if (expectsContinue) response.writeContinue();
    },
    begin(status, answer) {
      response.writeHead(status, answer.flat());
      response.flushHeaders();
    },
    out: response,
    isClosed: () => response.destroyed || socket.destroyed,
    abort: () => abortSocket(socket),
    cutUpload: () => abortSocket(socket),
  };
}

/**
 * Made from the stream itself: Node's compatibility layer says "finish" of an answer that was reset, too, and ends
 * an upload that was cut as if it were complete.
 */
export function http2Exchange(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  { origin, expectsContinue }: Arrival,
): Exchange {
  // A stream whose readable side is not read to its end is not closed either, even when the caller has reset it.
  if (stream.endAfterHeaders) stream.resume();
  return {
    protocol: "HTTP/2",
    method: headers[":method"] ?? "",
    target: headers[":path"] ?? "",
    lines: headerLines(rawHeaders),
    hasBody: !stream.endAfterHeaders,
    origin,
    body: stream,
    bodyWasCut: () => stream.aborted || stream.destroyed || (stream.rstCode ?? 0) !== 0,
    sendContinue() {
      if (expectsContinue) stream.additionalHeaders({ ":status": 100 });
    },
    begin(status, answer) {
      stream.respond({ ...http2Headers(answer), ":status": status });
    },
    out: stream,
    isClosed: () => stream.closed,
    // Not close(code): that ends the writable side first, and the END_STREAM goes out ahead of the RST_STREAM.
    abort: () => void stream.destroy(new Error("answer aborted")),
    // RFC 9113 §8.1: the answer is complete, and the rest of the request is not needed for it.
    cutUpload: () => stream.close(constants.NGHTTP2_NO_ERROR),
  };
}

/** Lower-case names; a repeated one becomes a list, which is sent as repeated lines. */
function http2Headers(lines: HeaderLines): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
