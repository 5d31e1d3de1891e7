/** Where `--as` is enabled, a header that only looks like one of it, or names a key that nobody means. */
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, kinds, sendBytes } from "./fixture/requests";
import { answerReviews, type ReviewSpec } from "./fixture/reviews";

const alice = "Impersonate-User: alice";

describeOnNodes(
  "headers that look like impersonation",
  (proxy) => {
    const reviews = answerReviews(proxy);
    const send = async (lines: readonly string[], kind = get) => {
      const { authorization } = proxy.caller;
      return (await sendBytes(proxy, http1Text(kind, lines, { authorization }))).statuses;
    };

    describe.each(kinds)("%s", (_, kind) => {
      it.each([
        ["something before the name", "x_impersonate-user: bob"],
        ["something behind the name", "Impersonate-User_: bob"],
        ["something behind an extra's place", "ximpersonate-extra-a_b: bob"],
        ["a blank in an extra's key", "Impersonate-Extra-a%20b: x"],
        ["a blank before an extra's key", "Impersonate-Extra-%20a: x"],
        ["a blank behind an extra's key", "Impersonate-Extra-a%20: x"],
        ["nothing but a blank for a key", "Impersonate-Extra-%20: x"],
        ["a letter that is none of ASCII's in a key", "Impersonate-Extra-%C3%A4: x"],
        ["an empty group", "Impersonate-Group:"],
        ["an empty uid", "Impersonate-Uid:"],
        ["an empty extra", "Impersonate-Extra-a:"],
      ])("are refused: %s", async (__, line) => {
        reviews.decide = () => ({ allowed: true });
        expect(await send([alice, line], kind)).toEqual([400]);
        expect(proxy.sent()).toHaveLength(0);
      });
    });

    it("are asked about to the last value, and the first", async () => {
      const refusing = (name: string) => (spec: ReviewSpec) => ({
        allowed: spec.resourceAttributes?.name !== name,
      });
      for (const refused of ["x", "y", "z"]) {
        reviews.decide = refusing(refused);
        const lines = [alice, ...["x", "y", "z"].map((value) => `Impersonate-Extra-team: ${value}`)];
        expect(await send(lines)).toEqual([403]);
      }
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ impersonation: { nested: true } }),
);

describeOnNodes(
  "names that only look like the cluster's own",
  (proxy) => {
    const reviews = answerReviews(proxy);

    it.each([
      ["x-system:node:a", []],
      ["x-system:serviceaccount:a:b", []],
      ["alice", ["Impersonate-Extra-example.com%2Fteam: x"]],
    ])("are users like others, for whom constrained grants hold: %s", async (name, more) => {
      const asked: string[] = [];
      reviews.decide = ({ resourceAttributes }) => {
        asked.push(resourceAttributes!.verb);
        return { allowed: /^impersonate(-on)?:/.test(resourceAttributes!.verb) };
      };
      const { authorization } = proxy.caller;
      const text = http1Text(get, [`Impersonate-User: ${name}`, ...more], { authorization });
      expect((await sendBytes(proxy, text)).statuses).toEqual([200]);
      expect(asked).not.toContain("impersonate");
      expect(proxy.sent()).toHaveLength(1);
      proxy.apiserver.forget();
    });
  },
  () => ({ impersonation: { nested: true, constrained: true, allowSystemNames: true } }),
);

describeOnNodes(
  "a service account's name that only looks like one",
  (proxy) => {
    const reviews = answerReviews(proxy);

    it("is asked about as the user that it is", async () => {
      reviews.decide = ({ resourceAttributes: of }) => ({ allowed: of?.resource === "users" });
      const { authorization } = proxy.caller;
      const text = http1Text(get, ["Impersonate-User: x-system:serviceaccount:a:b"], { authorization });
      expect((await sendBytes(proxy, text)).statuses).toEqual([200]);
      proxy.apiserver.forget();
    });
  },
  () => ({ impersonation: { nested: true } }),
);
