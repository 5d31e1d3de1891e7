/** Who acts as somebody else stays to be seen in the audit log, whole, and cannot write there who he was. */
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, sendBytes } from "./fixture/requests";
import { answerReviews } from "./fixture/reviews";

const prefix = "cluster-connect.dev/";

describeOnNodes(
  "acting as somebody else",
  (proxy) => {
    const reviews = answerReviews(proxy);
    beforeEach(() => (reviews.decide = () => ({ allowed: true })));
    const actAs = async (...lines: string[]) => {
      const { user, groups, uid } = proxy.caller;
      const claims = { groups: groups.map((group) => group.replace("github:", "")), uid, team: "blue" };
      const subject = user.replace("github:", "");
      const authorization = `Bearer ${await proxy.issuer.mint(claims, { subject })}`;
      const text = http1Text(get, ["Impersonate-User: alice", "Impersonate-Uid: 7", ...lines], {
        authorization,
      });
      return (await sendBytes(proxy, text)).statuses;
    };
    const extras = () =>
      proxy
        .sent()[0]!
        .lines.filter(([name]) => name.startsWith("Impersonate-Extra-"))
        .map(([name, value]) => [decodeURIComponent(name.slice("Impersonate-Extra-".length)), value]);

    it("leaves all of oneself in the extras", async () => {
      const { user, groups, uid } = proxy.caller;
      expect(await actAs()).toEqual([200]);
      const originals = extras().filter(([name]) => name!.startsWith(`${prefix}original-`));
      expect(originals).toEqual([
        [`${prefix}original-user`, user],
        [`${prefix}original-uid`, uid],
        ...groups.map((group) => [`${prefix}original-groups`, group]),
        [`${prefix}original-extra`, '{"example.com/team":["blue"]}'],
      ]);
      proxy.apiserver.forget();
    });

    it.each(["original-user", "original-extra", "issuer", "session", "Original-User", "ORIGINAL-GROUPS"])(
      "cannot be hidden behind an extra of one's own: %s",
      async (part) => {
        const key = encodeURIComponent(`${prefix}${part}`);
        expect(await actAs(`Impersonate-Extra-${key}: system:intruder`)).toEqual([403]);
        expect(proxy.sent()).toHaveLength(0);
      },
    );
  },
  ({ issuer }: AttackedAuthProxy) => ({
    impersonation: { nested: true },
    authentication: {
      jwt: [
        {
          issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"] },
          claimMappings: {
            username: { claim: "sub", prefix: "github:" },
            groups: { claim: "groups", prefix: "github:" },
            uid: { claim: "uid" },
            extra: [{ key: "example.com/team", valueExpression: "claims.team" }],
          },
        },
      ],
    },
  }),
);
