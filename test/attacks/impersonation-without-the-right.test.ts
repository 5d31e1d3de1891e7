/** `--as`, where it is enabled: whom a caller names is what he must be allowed to become, part by part. */
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { expectCallerAlone, intruder, reviewTarget } from "./fixture/invariant";
import type { Field } from "./fixture/raw-http2";
import {
  http1Text,
  http2Fields,
  kinds,
  sendBytes,
  sendHttp2Request,
  type RequestKind,
} from "./fixture/requests";

type Spec = { resourceAttributes?: { verb: string; resource: string; name: string } };

/** What the apiserver answers a review with; set by each case. */
let decide: (spec: Spec) => { status: number; body: string };
const says = (status: object, code = 201) => ({
  status: code,
  body: JSON.stringify({ kind: "SubjectAccessReview", status }),
});
const allowing =
  (...names: string[]) =>
  (spec: Spec) =>
    says({
      allowed:
        names.includes(spec.resourceAttributes?.name ?? "-") ||
        !/^impersonate/.test(spec.resourceAttributes?.verb ?? ""),
    });

function answerReviews(proxy: AttackedAuthProxy): void {
  proxy.asksForReviews = true;
  const plain = proxy.apiserver.handle;
  proxy.apiserver.handle = (request, response) => {
    if (request.url !== reviewTarget || request.headers["impersonate-user"] !== undefined)
      return plain(request, response);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { spec: Spec };
      const { status, body } = decide(spec);
      response.writeHead(status, { "Content-Type": "application/json" }).end(body);
    });
  };
}

describeOnNodes(
  "impersonation without the right",
  (proxy) => {
    beforeAll(() => answerReviews(proxy));
    beforeEach(() => (decide = () => says({ allowed: true })));

    const refused = async (kind: RequestKind, lines: readonly string[], statuses: readonly number[]) => {
      const { authorization } = proxy.caller;
      const answer = await sendBytes(proxy, http1Text(kind, lines, { authorization }));
      expect(statuses).toContain(answer.statuses[0]);
      expect(answer.text).toContain('"kind":"Status"');
      const fields = lines
        .map((line): Field => [
          line.slice(0, line.indexOf(":")).toLowerCase(),
          line.slice(line.indexOf(":") + 2),
        ])
        .filter(([name]) => name !== "connection");
      if (fields.length === lines.length) {
        const { status } = await sendHttp2Request(proxy, {
          fields: http2Fields(kind, fields, authorization),
        });
        expect(statuses).toContain(status);
      }
      expect(proxy.sent().map(({ target }) => target)).toEqual([]);
    };

    describe.each(kinds)("%s", (_, kind) => {
      it.each([
        ["no", () => says({ allowed: false })],
        ["yes and no", () => says({ allowed: true, denied: true })],
        ["nothing", () => says({})],
        ["a word for yes", () => says({ allowed: "true" })],
        ["yes, by a status that is no yes", () => says({ allowed: true }, 200)],
        ["an error", () => says({ allowed: true }, 500)],
        ["no JSON", () => ({ status: 201, body: "allowed" })],
      ])("is refused when the apiserver says %s", async (__, decision) => {
        decide = decision;
        await refused(kind, ["Impersonate-User: alice"], [403, 500, 502, 503]);
      });

      it.each([
        ["the user", ["Impersonate-User: bob"]],
        ["a group", ["Impersonate-User: alice", "Impersonate-Group: g1"]],
        [
          "the last of the groups",
          ["Impersonate-User: alice", "Impersonate-Group: ok", "Impersonate-Group: g2"],
        ],
        ["the uid", ["Impersonate-User: alice", "Impersonate-Uid: 7"]],
        ["an extra", ["Impersonate-User: alice", "Impersonate-Extra-example.com%2Fa: x"]],
        [
          "the second value of an extra",
          ["Impersonate-User: alice", "Impersonate-Extra-a: ok", "Impersonate-Extra-a: x"],
        ],
      ])("is refused for want of %s", async (__, lines) => {
        decide = allowing("alice", "ok");
        await refused(kind, lines, [403]);
      });

      it.each([
        ["a group alone", ["Impersonate-Group: g"], 400],
        ["an empty user", ["Impersonate-User: "], 400],
        ["two users", ["Impersonate-User: alice", "impersonate-user: bob"], 400],
        ["two uids", ["Impersonate-User: alice", "Impersonate-Uid: 1", "Impersonate-Uid: 2"], 400],
        ["a header that nobody knows", ["Impersonate-User: alice", `Impersonate-Future: ${intruder}`], 400],
        ["an extra without a key", ["Impersonate-User: alice", "Impersonate-Extra-: x"], 400],
        ["an escape that is none", ["Impersonate-User: alice", "Impersonate-Extra-a%zz: x"], 400],
        ["an escaped capital", ["Impersonate-User: alice", "Impersonate-Extra-a%41: x"], 400],
        ["a Connection that names it", ["Connection: Impersonate-User", "Impersonate-User: alice"], 400],
        ["bytes that are no UTF-8", ["Impersonate-User: a\xff"], 400],
        ["a node", ["Impersonate-User: system:node:a"], 403],
        ["a part of the cluster", ["Impersonate-User: system:kube-scheduler"], 403],
        ["the masters", ["Impersonate-User: alice", "Impersonate-Group: system:masters"], 403],
        [
          "what the proxy writes itself",
          ["Impersonate-User: alice", "Impersonate-Extra-cluster-connect.dev%2Fissuer: x"],
          403,
        ],
        [
          "more parts than it will ask for",
          ["Impersonate-User: alice", ...Array.from({ length: 70 }, (__, i) => `Impersonate-Group: g${i}`)],
          403,
        ],
      ])("is refused whatever the cluster grants: %s", (__, lines, status) => refused(kind, lines, [status]));

      it("goes on as whom he may become, with who he is beside it", async () => {
        decide = allowing("alice", "g1", "7");
        const { user, authorization } = proxy.caller;
        const lines = ["Impersonate-User: alice", "Impersonate-Group: g1", "Impersonate-Uid: 7"];
        const { statuses } = await sendBytes(proxy, http1Text(kind, lines, { authorization }));
        expect(statuses).toEqual([kind.answeredWith]);
        const [sent] = proxy.sent();
        const original = sent!.lines.filter(([name]) => /%2foriginal-user$/i.test(name));
        expect(original.map(([, value]) => value)).toEqual([user]);
        expect(proxy.reviews().length).toBeGreaterThan(2);
        expectCallerAlone(sent!, { ...proxy.caller, user: "alice", groups: ["g1"], uid: "7" });
        proxy.apiserver.forget();
      });
    });

    it("is asked for anew each time, and for the caller of the day", async () => {
      const { authorization } = proxy.caller;
      const text = http1Text(kinds[0]![1], ["Impersonate-User: alice"], { authorization });
      expect((await sendBytes(proxy, text)).statuses).toEqual([200]);
      proxy.apiserver.forget();
      decide = () => says({ allowed: false });
      expect((await sendBytes(proxy, text)).statuses).toEqual([403]);
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ impersonation: { nested: true, constrained: true } }),
);
