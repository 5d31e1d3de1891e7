/** `forwardHeaders` opens the allow-list: no configuration may open it to identity, framing, or what belongs to one hop. */
import { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, sendBytes } from "./fixture/requests";
import { nodes } from "../support/bundle-process";

const reserved = [
  "Authorization",
  "Connection",
  "Content-Length",
  "Expect",
  "Forwarded",
  "Host",
  "HTTP2-Settings",
  "impersonate-user",
  "IMPERSONATE-FUTURE",
  "Keep-Alive",
  "Proxy-Authorization",
  "Sec-WebSocket-Protocol",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
  "X-Forwarded-For",
  "X-Real-IP",
  "X-Remote-User",
  "Impersonate_User",
];

describe.each(nodes)("an allow-list that names what is the proxy's own, on %s", (_, node) => {
  it("is refused at start, for each of them", async () => {
    const started = new AttackedAuthProxy().start(node, () => ({ forwardHeaders: ["X-Team", ...reserved] }));
    const refusal = await started.then(String, (error: Error) => error.message);
    expect(refusal).toContain("ended before it was ready");
    const named = [...refusal.matchAll(/forwardHeaders\.(\d+)/g)].map(([, index]) => Number(index));
    expect(named).toEqual(reserved.map((_name, index) => index + 1));
  });
});

/** They begin or end as one of those do. */
const alike = [
  "Team",
  "Hosts",
  "My-Host",
  "X-My-Connection",
  "Expectation",
  "A-Impersonate-User",
  "Upgrades",
];

describeOnNodes(
  "an allow-list that names what only looks like it",
  (proxy) => {
    beforeAll(() => (proxy.expectRequest = () => undefined));

    it("lets that through, and nothing else", async () => {
      const { authorization } = proxy.caller;
      const lines = [...alike, "Teams", "X-Teamster"].map((name) => `${name}: 1`);
      await sendBytes(proxy, http1Text(get, lines, { authorization }));
      const names = proxy.sent()[0]!.lines.map(([name]) => name);
      expect(names.filter((name) => [...alike, "Teams", "X-Teamster"].includes(name))).toEqual(alike);
    });
  },
  () => ({ forwardHeaders: alike }),
);
