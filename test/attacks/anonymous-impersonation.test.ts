/** `--as` without a credential, where both are enabled: nobody in particular is asked about, and never "whoever is known". */
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { expectCallerAlone } from "./fixture/invariant";
import type { Field } from "./fixture/raw-http2";
import { http1Text, http2Fields, kinds, sendBytes, sendHttp2Request } from "./fixture/requests";
import { answerReviews, type ReviewSpec } from "./fixture/reviews";

const anonymous = { user: "system:anonymous", groups: ["system:unauthenticated"] };

/** What RBAC says where `system:authenticated` may do everything, and `system:unauthenticated` nothing but this. */
const grantedTo = (subject: string, ...names: string[]) => {
  return ({ user, groups, resourceAttributes }: ReviewSpec) => {
    if (groups.includes("system:authenticated")) return { allowed: true };
    const isGranted = [user, ...groups].includes(subject) && names.includes(resourceAttributes?.name ?? "");
    return { allowed: isGranted };
  };
};

const settings = ({ issuer }: AttackedAuthProxy) => ({
  impersonation: { nested: true },
  authentication: {
    jwt: [
      {
        issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"] },
        claimMappings: { username: { claim: "sub", prefix: "github:" } },
      },
    ],
    // No conditions: every path is open.
    anonymous: { enabled: true },
  },
});

describeOnNodes(
  "anonymous callers who want to be somebody",
  (proxy) => {
    const reviews = answerReviews(proxy);
    const asked: ReviewSpec[] = [];
    const decideBy = (decide: (spec: ReviewSpec) => object) => {
      asked.length = 0;
      reviews.decide = (spec) => {
        asked.push(spec);
        return decide(spec);
      };
    };
    beforeEach(() => {
      proxy.caller = { ...proxy.caller, ...anonymous };
      decideBy(() => ({ allowed: false }));
    });

    describe.each(kinds)("%s", (_, kind) => {
      it.each<[string, readonly Field[], number]>([
        ["somebody", [["impersonate-user", "alice"]], 403],
        [
          "somebody in a group",
          [
            ["impersonate-user", "alice"],
            ["impersonate-group", "g"],
          ],
          403,
        ],
        ["themselves", [["impersonate-user", anonymous.user]], 403],
        [
          "themselves, but known",
          [
            ["impersonate-user", anonymous.user],
            ["impersonate-group", "system:authenticated"],
          ],
          403,
        ],
        ["nobody, in a group", [["impersonate-group", "g"]], 400],
        ["an empty name", [["impersonate-user", ""]], 400],
      ])("are not let be %s by what everybody known may", async (__, fields, status) => {
        decideBy(grantedTo("nobody"));
        const lines = fields.map(([name, value]) => `${name}: ${value}`);
        expect((await sendBytes(proxy, http1Text(kind, lines, {}))).statuses).toEqual([status]);
        const answer = await sendHttp2Request(proxy, { fields: http2Fields(kind, fields, undefined) });
        expect(answer.status).toBe(status);
        expect(proxy.sent()).toHaveLength(0);
      });

      it("become whom nobody in particular may be, with that beside it", async () => {
        decideBy(grantedTo("system:unauthenticated", "alice", "7"));
        const lines = ["Impersonate-User: alice", "Impersonate-Uid: 7"];
        expect((await sendBytes(proxy, http1Text(kind, lines, {}))).statuses).toEqual([kind.answeredWith]);
        expect(asked).toHaveLength(2);
        for (const { user, groups, uid } of asked) {
          expect({ user, groups, uid }).toEqual({ ...anonymous, uid: undefined });
        }
        const [sent] = proxy.sent();
        const originals = sent!.lines.filter(([name]) => /%2foriginal-/i.test(name));
        expect(originals.map(([name, value]) => [name.toLowerCase(), value])).toEqual([
          ["impersonate-extra-cluster-connect.dev%2foriginal-user", anonymous.user],
          ["impersonate-extra-cluster-connect.dev%2foriginal-groups", anonymous.groups[0]],
        ]);
        expectCallerAlone(sent!, { ...proxy.caller, user: "alice", groups: [], uid: "7" });
        proxy.apiserver.forget();
      });
    });

    it.each([
      ["alice", 'resource "users" in API group "" named "alice"'],
      ["system:serviceaccount:a:b", 'resource "serviceaccounts" in API group "" named "b" in namespace "a"'],
    ])("are told of the right that they lack to be %s", async (name, right) => {
      const text = http1Text(kinds[0]![1], [`Impersonate-User: ${name}`], {});
      const answer = await sendBytes(proxy, text);
      expect(answer.statuses).toEqual([403]);
      const { message } = JSON.parse(answer.text.slice(answer.text.indexOf("\r\n\r\n"))) as {
        message: string;
      };
      expect(message).toContain(`"system:anonymous" cannot impersonate ${right}`);
    });

    it("are nobody in particular everywhere, where no path is named", async () => {
      expect((await sendBytes(proxy, http1Text(kinds[0]![1], [], {}))).statuses).toEqual([200]);
      const [sent] = proxy.sent();
      const identity = sent!.lines.filter(([name]) => /^impersonate-(user|group|uid)$/i.test(name));
      expect(identity.map(([, value]) => value)).toEqual([anonymous.user, ...anonymous.groups]);
      expect(asked).toHaveLength(0);
      proxy.apiserver.forget();
    });
  },
  (proxy) => ({ ...settings(proxy), impersonation: { nested: true, allowSystemNames: true } }),
);

describeOnNodes(
  "anonymous callers who want to be somebody, where nobody may",
  (proxy) => {
    it.each(kinds)("are refused: %s", async (_, kind) => {
      proxy.caller = { ...proxy.caller, ...anonymous };
      for (const name of ["alice", anonymous.user]) {
        const { statuses } = await sendBytes(proxy, http1Text(kind, [`Impersonate-User: ${name}`], {}));
        expect(statuses).toEqual([403]);
      }
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  (proxy) => ({ ...settings(proxy), impersonation: {} }),
);

describeOnNodes(
  "callers whom a token makes anonymous by half",
  (proxy) => {
    const reviews = answerReviews(proxy);

    it.each([
      ["by name", anonymous.user, ["a"]],
      ["by group", "bob", ["system:unauthenticated"]],
    ])("are never asked about as somebody known: %s", async (_, user, groups) => {
      const asked: (readonly string[])[] = [];
      reviews.decide = (spec) => {
        asked.push(spec.groups);
        return { allowed: spec.groups.includes("system:authenticated") };
      };
      proxy.caller = { ...proxy.caller, user, groups };
      const authorization = `Bearer ${await proxy.issuer.mint({ groups }, { subject: user })}`;
      const text = http1Text(kinds[0]![1], ["Impersonate-User: alice"], { authorization });
      expect((await sendBytes(proxy, text)).statuses).toEqual([403]);
      expect(asked).toEqual([[...new Set([...groups, "system:unauthenticated"])]]);
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  ({ issuer }) => ({
    impersonation: { nested: true, allowSystemNames: true },
    authentication: {
      jwt: [
        {
          issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"] },
          claimMappings: { username: { claim: "sub", prefix: "" }, groups: { claim: "groups", prefix: "" } },
        },
      ],
    },
  }),
);
