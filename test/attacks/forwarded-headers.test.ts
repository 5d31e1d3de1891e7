/** Where a request came from and under which name, as the request itself would have it. They end here. */
import { describeAttack } from "./fixture/describe-attack";
import { intruder } from "./fixture/invariant";

const says = (line: string) => ({
  name: line,
  http1: [line],
  http2: [[line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]] as const,
  outcome: "as the caller" as const,
});

describeAttack("X-Forwarded-* and their like", [
  says("X-Forwarded-For: 127.0.0.1"),
  says(`X-Forwarded-User: ${intruder}`),
  says("X-Forwarded-Groups: system:masters"),
  says("X-Forwarded-Host: evil.example"),
  says("X-Forwarded-Proto: http"),
  says("X-Forwarded-Uri: /api/v1/secrets"),
  says(`X-Forwarded-Access-Token: ${intruder}`),
  says("Forwarded: for=127.0.0.1;host=evil.example"),
  says("X-Real-Ip: 127.0.0.1"),
  says("X-Original-Url: /api/v1/secrets"),
  says("X-Rewrite-Url: /api/v1/secrets"),
  says("X-Http-Method-Override: DELETE"),
  says("Via: 1.1 evil"),
  says(`Cookie: user=${intruder}`),
  says(`From: ${intruder}`),
  says(`X-Auth-Request-User: ${intruder}`),
  says("Max-Forwards: 0"),
]);
