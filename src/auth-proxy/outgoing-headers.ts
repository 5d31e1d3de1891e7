import { elementsOf, valuesOf, type HeaderLines } from "./header-lines";
import { impersonationHeaders } from "./impersonation";
import type { Principal } from "./principal";
import type { UpgradeRequest } from "./upgrade-rules";

/** What Kubernetes clients send that means something to the apiserver. Everything else stays here. */
const forwarded: readonly string[] = [
  "accept",
  "accept-encoding",
  "accept-language",
  "audit-id",
  "baggage",
  "cache-control",
  "content-encoding",
  "content-language",
  "content-type",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "kubectl-command",
  "kubectl-session",
  "origin",
  "pragma",
  "range",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-stream-protocol-version",
];

/** Whatever a configuration may say, these are written here or not at all. */
const reserved =
  /^(authorization|connection|content-length|expect|forwarded|host|http2-settings|impersonate-.*|keep-alive|proxy-.*|sec-websocket-.*|te|trailer|transfer-encoding|upgrade|x-forwarded-.*|x-real-ip|x-remote-.*)$/;

/** Whether configuration may let a header of this lower-case name through. */
export const isForwardable = (name: string) => !reserved.test(name);

export interface OutgoingRequest {
  readonly lines: HeaderLines;
  readonly principal: Principal;
  /** `host:port` of the apiserver. */
  readonly host: string;
  readonly hasBody: boolean;
  readonly upgrade?: UpgradeRequest | undefined;
  readonly forwardHeaders: readonly string[];
}

/**
 * Headers of a request to the apiserver. They can be made in one way only, on somebody's account, and the connection
 * to the apiserver takes nothing else: either they impersonate a named user, and only then the proxy's own credential
 * is added to them, or they carry the caller's own token.
 */
export class OutgoingHeaders {
  readonly #lines: HeaderLines;
  /** The Authorization that goes out instead of the proxy's own. */
  readonly #callersAuthorization: string | undefined;

  /** Builds onto an empty list from the allow-list; identity comes last, and nothing is removed after it. */
  constructor(request: OutgoingRequest) {
    const { principal } = request;
    this.#lines = [
      ["Host", request.host],
      ...allowedLines(request),
      ...(request.upgrade === undefined
        ? framingLines(request)
        : upgradeLines(request.lines, request.upgrade)),
      ...(principal.kind === "impersonated" ? impersonationHeaders(principal.identity) : []),
    ];
    if (principal.kind === "passed-through") this.#callersAuthorization = `Bearer ${principal.token}`;
  }

  /** Whether the apiserver's opinion of the credential is one of the proxy's own. */
  get carriesOwnCredential(): boolean {
    return this.#callersAuthorization === undefined;
  }

  /** Flat, as Node takes them, with the one credential that belongs to them. */
  toRaw(ownAuthorization: string | undefined): string[] {
    const authorization = this.#callersAuthorization ?? ownAuthorization;
    return [...this.#lines.flat(), ...(authorization === undefined ? [] : ["Authorization", authorization])];
  }
}

function allowedLines({ lines, forwardHeaders }: OutgoingRequest): HeaderLines {
  // RFC 9110 §7.6.1: what Connection names was meant for this hop. Taken out of what came in, before ours is added.
  const nominated = new Set(elementsOf(lines, "connection").map((name) => name.toLowerCase()));
  const allowed = new Set([...forwarded, ...forwardHeaders.map((name) => name.toLowerCase())]);
  return lines.filter(([name]) => {
    const lower = name.toLowerCase();
    return allowed.has(lower) && !nominated.has(lower) && isForwardable(lower);
  });
}

function framingLines({ lines, hasBody }: OutgoingRequest): HeaderLines {
  const [length] = valuesOf(lines, "content-length");
  if (length !== undefined) return [["Content-Length", length]];
  return hasBody ? [["Transfer-Encoding", "chunked"]] : [];
}

/** Sec-WebSocket-Extensions is left out: a compressed stream could not be followed (see websocket-guard.ts). */
function upgradeLines(lines: HeaderLines, upgrade: UpgradeRequest): HeaderLines {
  const written = [
    ["Connection", "Upgrade"],
    ["Upgrade", upgrade.protocol],
  ] as const;
  if (upgrade.protocol === "SPDY/3.1") return [...written, ["Content-Length", "0"]];
  const { subprotocols } = upgrade;
  return [
    ...written,
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", valuesOf(lines, "sec-websocket-key")[0] ?? ""],
    ...(subprotocols.length === 0 ? [] : [["Sec-WebSocket-Protocol", subprotocols.join(", ")] as const]),
  ];
}
