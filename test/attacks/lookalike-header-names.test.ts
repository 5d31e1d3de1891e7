/** Names that are another header here and the same one to somebody further on (CVE-2025-64484). */
import { describeAttack } from "./fixture/describe-attack";
import type { Outcome } from "./fixture/describe-attack";
import { intruder } from "./fixture/invariant";

const named = (name: string, http2Outcome: Outcome = [400]) => ({
  name: JSON.stringify(name),
  http1: [`${name}: ${intruder}`],
  http2: [[name.toLowerCase(), intruder]] as const,
  outcome: [400] as const,
  http2Outcome,
});
/** No token (RFC 9113 §8.2.1): nghttp2 resets the stream, or leaves the line out, by its version. */
const misnamed = (name: string) => named(name, "without effect");

describeAttack("header names that look like another's", [
  named("Impersonate_User"),
  named("Impersonate.User"),
  named("Impersonate~User"),
  named("X_Remote_User"),
  named("!Impersonate-User"),
  named("Impersonate-Extra-a%2Fb"),
  misnamed(" Impersonate-User"),
  misnamed("Impersonate-User "),
  misnamed("Impersonate-User\t"),
  misnamed("Impersonate\u0000-User"),
  misnamed("\u0001Impersonate-User"),
  misnamed("Impersonate-User\u00df"),
  misnamed(""),
  {
    name: "upper case in HTTP/2",
    http1: { notThere: "HTTP/1.1 names have no case; see impersonation-headers" },
    http2: [["Impersonate-User", intruder]],
    outcome: "reset",
  },
]);
