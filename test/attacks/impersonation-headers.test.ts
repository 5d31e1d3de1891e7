/** A caller who says himself who he wants to be. Nested impersonation is off unless configured. */
import { describeAttack } from "./fixture/describe-attack";
import { intruder } from "./fixture/invariant";

const says = (name: string, value: string) => ({
  name: `${name}: ${value}`,
  http1: [`${name}: ${value}`],
  http2: [[name.toLowerCase(), value]] as const,
  outcome: [403] as const,
});

describeAttack("impersonation headers of the caller's own", [
  says("Impersonate-User", intruder),
  says("impersonate-user", ""),
  says("IMPERSONATE-GROUP", "system:masters"),
  says("iMpErSoNaTe-UiD", "0"),
  says("Impersonate-Extra-scopes", "all"),
  says("Impersonate-Extra-cluster-connect.dev%2fsession".replaceAll(/[.%]/g, "-"), "another"),
  // Not known to any apiserver of today, and refused today: it may come to mean something.
  says("Impersonate-Future", intruder),
  says("Impersonate-", intruder),
  {
    name: "two of them",
    http1: [`Impersonate-User: ${intruder}`, `Impersonate-User: ${intruder}`],
    http2: [
      ["impersonate-user", intruder],
      ["impersonate-user", intruder],
    ],
    outcome: [403],
  },
  {
    name: "beside a Connection that names it",
    http1: ["Connection: Impersonate-User", `Impersonate-User: ${intruder}`],
    http2: [
      ["impersonate-user", intruder],
      ["te", "trailers"],
    ],
    outcome: [403],
  },
]);
