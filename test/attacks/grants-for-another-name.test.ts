/** Constrained impersonation takes two rights, one on the request and one on each part of the user: half of them is none. */
import { describeOnNodes } from "./fixture/describe-attack";
import { http1Text, kinds, sendBytes } from "./fixture/requests";
import { answerReviews } from "./fixture/reviews";

const wanted = [
  "Impersonate-User: alice",
  "Impersonate-Uid: 7",
  "Impersonate-Group: g1",
  "Impersonate-Group: g2",
  "Impersonate-Extra-example.com%2Fteam: x",
];
const parts = ["users/alice", "uids/7", "groups/g1", "groups/g2", "userextras/x"];
const request = "impersonate-on";

describeOnNodes(
  "a right to act as somebody",
  (proxy) => {
    const reviews = answerReviews(proxy);
    const grant = (granted: readonly string[]) => {
      reviews.decide = ({ resourceAttributes: of }) => {
        const { verb = "", resource = "", name = "" } = of ?? {};
        const asked = verb.startsWith(`${request}:user-info:`) ? request : `${resource}/${name}`;
        const isConstrained = asked === request || verb === "impersonate:user-info";
        return { allowed: isConstrained && granted.includes(asked) };
      };
    };
    const send = async (kind: (typeof kinds)[number][1]) => {
      const { authorization } = proxy.caller;
      return (await sendBytes(proxy, http1Text(kind, wanted, { authorization }))).statuses;
    };

    describe.each(kinds)("%s", (_, kind) => {
      it.each([request, ...parts])("is none without that on %s", async (missing) => {
        grant([request, ...parts].filter((part) => part !== missing));
        expect(await send(kind)).toEqual([403]);
        expect(proxy.sent()).toHaveLength(0);
      });

      it("is none on the request alone, nor on the user alone", async () => {
        for (const granted of [[request], parts]) {
          grant(granted);
          expect(await send(kind)).toEqual([403]);
        }
        expect(proxy.sent()).toHaveLength(0);
      });

      it("is one with all of them", async () => {
        grant([request, ...parts]);
        expect(await send(kind)).toEqual([kind.answeredWith]);
        expect(proxy.sent()).toHaveLength(1);
        proxy.apiserver.forget();
      });
    });

    it("is refused in words that name a path as a path", async () => {
      grant([]);
      const { authorization } = proxy.caller;
      const text = http1Text(kinds[0]![1], wanted, { authorization, target: "/healthz" });
      expect((await sendBytes(proxy, text)).text).toContain('path \\"/healthz\\"');
    });
  },
  () => ({ impersonation: { nested: true, constrained: true } }),
);
