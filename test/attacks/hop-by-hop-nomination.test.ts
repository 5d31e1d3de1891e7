/** `Connection: Impersonate-User` (CVE-2021-31999): headers that are stripped after the identity was set. */
import { describeAttack, describeOnNodes, type Outcome } from "./fixture/describe-attack";
import { http1Text, kinds, sendBytes } from "./fixture/requests";

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

describeOnNodes(
  "headers that are let through beside the built-in ones",
  (proxy) => {
    beforeAll(() => (proxy.expectRequest = () => undefined));
    const namesSent = async (kind: (typeof kinds)[number][1], lines: readonly string[]) => {
      const { authorization } = proxy.caller;
      await sendBytes(proxy, http1Text(kind, lines, { authorization }));
      return proxy.sent()[0]!.lines.map(([name]) => name.toLowerCase());
    };

    it.each(kinds)("go on, and no others like them: %s", async (_, kind) => {
      const names = await namesSent(kind, ["x-TEAM: 1", "X-Teams: 2"]);
      expect(names.filter((name) => name.startsWith("x-team"))).toEqual(["x-team"]);
      expect(names.filter((name) => name === "impersonate-user")).toHaveLength(1);
    });

    it.each(kinds)("were meant for this hop when Connection names them: %s", async (_, kind) => {
      const names = await namesSent(kind, ["Connection: X-TEAM, Accept", "X-Team: 1", "Accept: a/b"]);
      expect(names).not.toContain("x-team");
      expect(names).not.toContain("accept");
    });
  },
  () => ({ forwardHeaders: ["X-Team"] }),
);
