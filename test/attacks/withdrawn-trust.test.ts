/** An issuer that is trusted no more: its tokens, good a moment ago, are nobody's, without a restart. */
import { stringify } from "yaml";
import { startIssuer, type TestIssuer } from "../support/issuer";
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { http1Text, kinds, sendBytes } from "./fixture/requests";

const fast = { limits: { configurationCheckMs: 50, lingerMs: 300 } };
const authentication = (url: string) => ({
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AuthenticationConfiguration",
  jwt: [
    {
      issuer: { url, audiences: ["cluster-connect/plant-7"] },
      claimMappings: {
        username: { claim: "sub", prefix: "github:" },
        groups: { claim: "groups", prefix: "github:" },
        uid: { claim: "uid" },
      },
    },
  ],
});

describe.each([
  ["in the settings", "auth-proxy.yaml", () => fast],
  [
    "in a file of its own",
    "authentication.yaml",
    (proxy: AttackedAuthProxy) => ({
      ...fast,
      authentication: {
        file: proxy.write("authentication.yaml", stringify(authentication(proxy.issuer.url))),
      },
    }),
  ],
] as const)("an issuer that is withdrawn %s", (_, file, settings) => {
  describeOnNodes(
    "tokens of it",
    (proxy) => {
      let other: TestIssuer;
      beforeAll(async () => void (other = await startIssuer()));
      afterAll(() => other.close());

      it("are refused, good as they were a moment ago", async () => {
        const { authorization } = proxy.caller;
        const send = async () => {
          const { statuses } = await sendBytes(proxy, http1Text(kinds[0]![1], [], { authorization }));
          return statuses[0];
        };
        expect(await send()).toBe(200);
        proxy.changeFile(file, (text) => text.replaceAll(proxy.issuer.url, other.url));
        while ((await send()) === 200);
        proxy.apiserver.forget();
        expect(await send()).toBe(401);
        expect(proxy.sent()).toHaveLength(0);
      });
    },
    settings,
  );
});
