/** `Connection: Impersonate-User` (CVE-2021-31999): headers that are stripped after the identity was set. */
import { describeAttack } from "./fixture/describe-attack";
import type { Outcome } from "./fixture/describe-attack";

const identity = "Impersonate-User, Impersonate-Group, Impersonate-Uid, Authorization";
/** HTTP/2 forbids the headers of a hop (RFC 9113 §8.2.2): nghttp2 resets such a stream. */
const forbidden = (name: string, value: string) => ({
  http2: [[name, value]] as const,
  http2Outcome: "reset" as Outcome,
});

describeAttack("nomination of identity headers by hop-by-hop headers", [
  {
    name: "Connection names them",
    http1: [`Connection: ${identity}`],
    outcome: "as the caller",
    ...forbidden("connection", identity),
  },
  {
    name: "Connection names them among its own words, in another case",
    http1: ["Connection: close, impersonate-USER, Impersonate-Extra-Cluster-Connect.dev%2Fsession"],
    outcome: "as the caller",
    ...forbidden("connection", "close, impersonate-user"),
  },
  {
    name: "two Connection lines, the first empty",
    http1: ["Connection:", "Connection: impersonate-user"],
    outcome: "as the caller",
    ...forbidden("connection", ""),
  },
  {
    name: "Connection names the credential",
    http1: ["Connection: Authorization, Host"],
    outcome: "as the caller",
    ...forbidden("connection", "authorization"),
  },
  {
    name: "Connection names the headers of the upgrade",
    http1: ["Connection: Upgrade, Sec-WebSocket-Key, X-Stream-Protocol-Version, Impersonate-User"],
    // Without them an upgrade would be another request: of a plain one nothing is lost.
    outcome: "as the caller",
    ...forbidden("connection", "upgrade, impersonate-user"),
  },
  {
    name: "Keep-Alive names them",
    http1: [`Keep-Alive: ${identity}`],
    outcome: "as the caller",
    ...forbidden("keep-alive", identity),
  },
  {
    name: "Proxy-Connection names them",
    http1: [`Proxy-Connection: ${identity}`],
    outcome: "as the caller",
    ...forbidden("proxy-connection", identity),
  },
  {
    name: "TE names them",
    http1: [`TE: ${identity}`],
    outcome: "as the caller",
    ...forbidden("te", identity),
  },
  {
    name: "Trailer names them",
    http1: [`Trailer: ${identity}`],
    outcome: "as the caller",
    http2: [["trailer", identity]],
  },
]);
