/** The headers in which a front proxy tells the apiserver who somebody is. */
import { describeAttack } from "./fixture/describe-attack";
import { intruder } from "./fixture/invariant";

const says = (line: string) => ({
  name: line,
  http1: [line],
  http2: [[line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]] as const,
  outcome: [400] as const,
});

describeAttack("X-Remote-*", [
  says(`X-Remote-User: ${intruder}`),
  says("x-remote-group: system:masters"),
  says("X-REMOTE-UID: 0"),
  says("X-Remote-Extra-scopes: all"),
  says("X-Remote-Extra-a%2Fb: all"),
  says("X-Remote-Future: 1"),
  says("X-Remote-User: "),
]);
