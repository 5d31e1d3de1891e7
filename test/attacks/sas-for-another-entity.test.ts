/** Shared access signatures for another cluster, another right, another time, or nobody. */
import { createSasToken } from "../../src/hybrid-connections/sas-token";
import { describeRelayOnNodes, keyOf } from "./fixture/attacked-relay";

describeRelayOnNodes("shared access signatures that do not fit", (relay) => {
  const resource = (sr: string, key: string) => {
    const { hostname } = relay.url;
    return createSasToken({
      relay: new URL(`http://${hostname}`),
      entity: sr,
      keyName: "x",
      key,
      lifetimeMs: 60_000,
    });
  };
  const forge: readonly (readonly [string, (right: "listen" | "send") => string])[] = [
    ["of the other cluster", (right) => relay.sas("plant-8", right)],
    [
      "for this cluster, by the other's key",
      (right) => relay.sas("plant-7", right, { key: keyOf("plant-8", right) }),
    ],
    [
      "for all clusters, by the other's key",
      (right) => resource("", keyOf("plant-8", right)).replace("skn=x", `skn=${right}`),
    ],
    [
      "for the beginning of its name",
      (right) => resource("plant", keyOf("plant-7", right)).replace("skn=x", `skn=${right}`),
    ],
    [
      "for something below its name",
      (right) => relay.sas("plant-7/x", right, { key: keyOf("plant-7", right) }),
    ],
    ["for another host", (right) => relay.sas("plant-7", right).replace("127.0.0.1", "127.0.0.2")],
    ["that has expired", (right) => relay.sas("plant-7", right, { lifetimeMs: -60_000 })],
    ["whose expiry was put off", (right) => relay.sas("plant-7", right).replace(/se=\d+/, "se=99999999999")],
    ["whose expiry is no number", (right) => relay.sas("plant-7", right).replace(/se=\d+/, "se=NaN")],
    ["without a signature", (right) => relay.sas("plant-7", right).replace(/sig=[^&]*/, "sig=")],
    ["with two resources", (right) => `${relay.sas("plant-8", right)}&sr=plant-7`],
    ["of a key that is none", (right) => relay.sas("plant-7", right, { name: "constructor" })],
    ["of an empty key", (right) => relay.sas("plant-7", right, { key: "" })],
    ["that is the key itself", (right) => keyOf("plant-7", right)],
    ["that is nothing", () => ""],
    ["that is a word", () => "SharedAccessSignature"],
  ];

  describe.each(forge)("%s", (_, token) => {
    it("let nobody listen, and nobody send", async () => {
      const listener = await relay.registered("plant-7");
      const attacker = await relay.listen("plant-7", token("listen"), "attacker");
      expect([401, 403]).toContain((await attacker.answer).status);
      const sender = await relay.send("plant-7", token("send"));
      expect([401, 403]).toContain((await sender.answer).status);
      // The one that was let in is offered those that were, and nobody else.
      const { accept } = await relay.announced(listener, "honest");
      expect(accept.id).toBe("honest");
    });
  });

  it("are not put right by a second one in the query", async () => {
    const right = encodeURIComponent(relay.sas("plant-7", "send"));
    const wrong = { ServiceBusAuthorization: relay.sas("plant-8", "send") };
    const address = `${relay.url.origin}/$hc/plant-7?sb-hc-action=connect&sb-hc-token=${right}`;
    expect((await (await relay.dial(address, { headers: wrong })).answer).status).toBe(401);
  });
});
