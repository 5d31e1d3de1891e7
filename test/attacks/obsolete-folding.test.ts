/** A value that goes on in the next line (RFC 9112 §5.2): one header to some readers, two to others. */
import { describeAttack } from "./fixture/describe-attack";
import { intruder } from "./fixture/invariant";

const folded = (name: string, http1: string) => ({
  name,
  http1: [http1],
  http2: [["user-agent", http1.slice(http1.indexOf(":") + 1)]] as const,
  outcome: [400] as const,
  http2Outcome: "without effect" as const,
});

describeAttack("obsolete folding", [
  folded("by a space", `User-Agent: a\r\n Impersonate-User: ${intruder}`),
  folded("by a tab", `User-Agent: a\r\n\tImpersonate-User: ${intruder}`),
  folded("of an empty value", `User-Agent:\r\n ${intruder}`),
  folded("of Connection", "Connection: close,\r\n Impersonate-User"),
  folded("by an empty line", `User-Agent: a\r\n \r\n Impersonate-User: ${intruder}`),
]);
