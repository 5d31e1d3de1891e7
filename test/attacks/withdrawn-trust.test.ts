/** An issuer that is trusted no more: its tokens, good a moment ago, are nobody's, without a restart. */
import { startIssuer, type TestIssuer } from "../support/issuer";
import { describeOnNodes } from "./fixture/describe-attack";
import { http1Text, kinds, sendBytes } from "./fixture/requests";

describeOnNodes(
  "tokens of an issuer that is trusted no more",
  (proxy) => {
    let other: TestIssuer;
    beforeAll(async () => void (other = await startIssuer()));
    afterAll(() => other.close());

    it("are refused, good as they were a moment ago", async () => {
      const { authorization } = proxy.caller;
      const send = async (who: string | undefined) => {
        const { statuses } = await sendBytes(proxy, http1Text(kinds[0]![1], [], { authorization: who }));
        return statuses[0];
      };
      expect(await send(authorization)).toBe(200);
      proxy.changeSettings((text) => text.replaceAll(proxy.issuer.url, other.url));
      while ((await send(authorization)) === 200);
      proxy.apiserver.forget();
      expect(await send(authorization)).toBe(401);
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ limits: { configurationCheckMs: 50, lingerMs: 300 } }),
);
