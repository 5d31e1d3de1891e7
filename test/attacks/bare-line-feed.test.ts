/** A line end that only some readers take for one. */
import { describeAttack } from "./fixture/describe-attack";
import { intruder } from "./fixture/invariant";

const value = (name: string, text: string, outcome: readonly number[]) => ({
  name,
  http1: [`User-Agent: ${text}`],
  http2: [["user-agent", text]] as const,
  outcome,
  // A malformed value (RFC 9113 §8.2.1): reset or left out, by the version of nghttp2.
  http2Outcome: "without effect" as const,
});

describeAttack("line feeds and other control characters in a value", [
  // llhttp of old takes a bare LF for a line end, and then there is an Impersonate-User.
  value("a bare LF", `a\nImpersonate-User: ${intruder}`, [400, 403]),
  value(
    "two bare LFs, a request behind them",
    `a\n\nGET /api HTTP/1.1\nImpersonate-User: ${intruder}`,
    [400, 403],
  ),
  value("a bare CR", `a\rImpersonate-User: ${intruder}`, [400]),
  value("CR CR LF", `a\r\r\nImpersonate-User: ${intruder}`, [400]),
  value("NUL", `a\0${intruder}`, [400]),
  value("a vertical tab", `a\u000b${intruder}`, [400]),
  value("DEL", `a\u007f${intruder}`, [400]),
  {
    name: "CR LF, which HTTP/2 has no use for",
    http1: { notThere: "it ends the line there; see impersonation-headers" },
    http2: [["user-agent", `a\r\nImpersonate-User: ${intruder}`]],
    outcome: "without effect",
  },
]);
