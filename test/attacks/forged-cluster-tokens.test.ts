/** Where the cluster's own tokens pass through: one that only pretends must bring its holder nothing of the proxy's. */
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { partsOf, signedWithKey, unsigned } from "./fixture/forged-token";
import { intruder, ownToken } from "./fixture/invariant";
import { http1Text, http2Fields, kinds, sendBytes, sendHttp2Request } from "./fixture/requests";
import type { SentRequest } from "./fixture/upstream-bytes";

const cluster = "https://kubernetes.default.svc";

/** With nobody's name on it, and with the token that it came with: never with the proxy's own. */
function expectNothingOfOurs({ lines }: SentRequest): void {
  const credentials = lines
    .filter(([name]) => name.toLowerCase() === "authorization")
    .map(([, value]) => value);
  expect(credentials).toHaveLength(1);
  expect(credentials.join()).not.toContain(ownToken);
  expect(
    lines.map(([name]) => name.toLowerCase()).filter((name) => /^(impersonate|x-remote)/.test(name)),
  ).toEqual([]);
}

describeOnNodes(
  "forged tokens of the cluster's own",
  (proxy) => {
    beforeAll(() => {
      proxy.expectRequest = expectNothingOfOurs;
      const refuse = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}";
      proxy.apiserver.handle = (_, response) => response.writeHead(401).end("{}");
      proxy.apiserver.upgrade = (_, socket) => socket.resume().end(refuse);
    });
    const claiming = ({ caller }: AttackedAuthProxy, claims: object) => {
      const { header, claims: own } = partsOf(caller.token);
      return { header, claims: { ...own, ...claims } };
    };
    const both = async (token: string, lines: readonly string[] = [], kind = kinds[0]![1]) => {
      const authorization = `Bearer ${token}`;
      const { statuses } = await sendBytes(proxy, http1Text(kind, lines, { authorization }));
      const { status } = await sendHttp2Request(proxy, { fields: http2Fields(kind, [], authorization) });
      return [...statuses, status];
    };

    it.each(kinds)("go upstream as they are, and are refused there: %s", async (_, kind) => {
      const forged = signedWithKey(claiming(proxy, { iss: cluster, aud: [cluster], sub: intruder }));
      expect(await both(forged, [], kind)).toEqual([401, 401]);
      expect(proxy.sent()).toHaveLength(2);
      const unsignedToo = unsigned({
        ...claiming(proxy, { iss: cluster, aud: cluster }),
        header: { alg: "none" },
      });
      expect(await both(unsignedToo, [], kind)).toEqual([401, 401]);
    });

    it.each([
      ["another issuer's", { iss: `${cluster}/` }],
      ["for another audience", { iss: cluster, aud: "cluster-connect/plant-7" }],
      ["for no audience", { iss: cluster, aud: undefined }],
      ["whose issuer is a list", { iss: [cluster], aud: cluster }],
    ])("are nobody's when they are %s", async (_, claims) => {
      expect(await both(signedWithKey(claiming(proxy, claims)))).toEqual([401, 401]);
      expect(proxy.sent()).toHaveLength(0);
    });

    it("cannot be made to impersonate anybody beside them", async () => {
      const forged = signedWithKey(claiming(proxy, { iss: cluster, aud: cluster }));
      const authorization = `Bearer ${forged}`;
      for (const line of [`Impersonate-User: ${intruder}`, "Impersonate-Group: system:masters"]) {
        const { statuses } = await sendBytes(proxy, http1Text(kinds[0]![1], [line], { authorization }));
        expect([[400], [403]]).toContainEqual(statuses);
      }
      expect(proxy.sent()).toHaveLength(0);
    });

    it("do not shake the proxy's trust in its own: what others are told is not a failure of it", async () => {
      const forged = signedWithKey(claiming(proxy, { iss: cluster, aud: cluster }));
      const { text } = await sendBytes(
        proxy,
        http1Text(kinds[0]![1], [], { authorization: `Bearer ${forged}` }),
      );
      expect(text).not.toContain("ERR_APISERVER_REFUSED_PROXY");
    });
  },
  () => ({ passThrough: { issuer: cluster }, impersonation: { nested: true } }),
);
