/** More than one credential, or one that two readers could read in two ways. */
import { describeAttack, type AttackRow } from "./fixture/describe-attack";

const row = (name: string, lines: readonly string[], outcome: AttackRow["outcome"]): AttackRow => ({
  name,
  http1: lines,
  http2: lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 2),
  ]),
  outcome,
});
const instead = (name: string, authorization: (token: string) => string, outcome: AttackRow["outcome"]) => ({
  ...row(name, [], outcome),
  authorization: ({ caller }: { caller: { token: string } }) => authorization(caller.token),
});

describeAttack("two Authorization lines", [
  row("a second one", ["Authorization: Bearer other"], [400]),
  row("a second one in lower case", ["authorization: Bearer other"], [400]),
  row("a second one that is empty", ["Authorization: "], [400]),
  row("a second one of another scheme", ["Authorization: Basic cm9vdDpyb290"], [400]),
  row("Proxy-Authorization beside it", ["Proxy-Authorization: Bearer other"], "as the caller"),
  row("a cookie beside it", ["Cookie: authorization=Bearer other"], "as the caller"),
  instead("two in one line", (token) => `Bearer ${token}, Bearer ${token}`, [401]),
  instead("two tokens", (token) => `Bearer ${token} ${token}`, [401]),
  instead("another scheme", (token) => `Basic ${token}`, [401]),
  instead("no scheme", (token) => token, [401]),
  instead("the scheme glued on", (token) => `Bearer${token}`, [401]),
  instead("no token", () => "Bearer", [401]),
  instead("words behind the token", (token) => `Bearer ${token} realm=x`, [401]),
  instead("the scheme in another case, which is no attack", (token) => `bEARER  ${token}`, "as the caller"),
  { ...row("none", [], [401]), authorization: () => undefined },
]);
