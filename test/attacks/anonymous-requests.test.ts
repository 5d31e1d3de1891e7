/** Requests without a credential, where some paths are open to them: those, and by no other name. */
import { describeOnNodes } from "./fixture/describe-attack";
import { http1Text, http2Fields, kinds, sendBytes, sendHttp2Request } from "./fixture/requests";

describeOnNodes(
  "anonymous requests",
  (proxy) => {
    beforeEach(() => {
      proxy.caller = { ...proxy.caller, user: "system:anonymous", groups: ["system:unauthenticated"] };
      proxy.expectRequest = ({ lines }) => {
        const identity = lines.filter(([name]) => /^impersonate-(user|group|uid)$/i.test(name));
        expect(identity).toEqual([
          ["Impersonate-User", "system:anonymous"],
          ["Impersonate-Group", "system:unauthenticated"],
        ]);
      };
    });
    const send = async (kind: (typeof kinds)[number][1], target: string) => {
      const { statuses } = await sendBytes(proxy, http1Text(kind, [], { target }));
      const { status } = await sendHttp2Request(proxy, {
        fields: http2Fields({ ...kind, target }, [], undefined),
      });
      return [...statuses, status];
    };

    describe.each(kinds)("%s", (_, kind) => {
      it.each([
        "/healthz/",
        "/healthz/../api/v1/secrets",
        "//healthz",
        "/healthz%2f..%2fapi",
        "/%68ealthz",
        "/HEALTHZ",
        "/healthz;/api",
        "/healthz#/api",
        "/api/v1/secrets?/healthz",
        "/api/v1/secrets",
      ])("are let in nowhere else: %s", async (target) => {
        expect(await send(kind, target)).toEqual([401, 401]);
        expect(proxy.sent()).toHaveLength(0);
      });

      it("run as nobody in particular where they are let in", async () => {
        expect(await send(kind, "/healthz?verbose")).toEqual([kind.answeredWith, 200]);
        expect(proxy.sent()).toHaveLength(2);
      });
    });

    it("are not made of ones whose credential is wrong", async () => {
      for (const authorization of ["Bearer x.y.z", "Bearer", "Basic eDp5", ""]) {
        const text = http1Text(kinds[0]![1], [], { authorization, target: "/healthz" });
        expect((await sendBytes(proxy, text)).statuses).toEqual([401]);
      }
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  ({ issuer }) => ({
    authentication: {
      jwt: [
        {
          issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"] },
          claimMappings: { username: { claim: "sub", prefix: "github:" } },
        },
      ],
      anonymous: { enabled: true, conditions: [{ path: "/healthz" }] },
    },
  }),
);
