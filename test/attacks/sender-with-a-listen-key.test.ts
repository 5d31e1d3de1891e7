/** One right is not the other: who may listen may not send, and who may send may not listen. */
import { describeRelayOnNodes, nextAnnouncement } from "./fixture/attacked-relay";

describeRelayOnNodes("keys and tokens of the other right", (relay) => {
  it("let no sender listen", async () => {
    const attacker = await relay.listen("plant-7", relay.sas("plant-7", "send"));
    expect([401, 403]).toContain((await attacker.answer).status);
    const sender = await relay.send("plant-7", relay.sas("plant-7", "send"));
    expect((await sender.answer).status).toBe(404);
  });

  it("let no listener send", async () => {
    await relay.registered("plant-7");
    const sender = await relay.send("plant-7", relay.sas("plant-7", "listen"));
    expect([401, 403]).toContain((await sender.answer).status);
  });

  it.each([
    ["listen with a client's", "listen", { cluster: "plant-7" }, "repo:octo/app"],
    ["send with an agent's", "send", {}, "agent:plant-7"],
    ["listen with the other cluster's agent's", "listen", {}, "agent:plant-8"],
    ["send with the other cluster's client's", "send", { cluster: "plant-8" }, "repo:octo/app"],
    ["send with one whose claim is a list", "send", { cluster: ["plant-7"] }, "repo:octo/app"],
    ["send with one whose claim is close", "send", { cluster: "PLANT-7" }, "repo:octo/app"],
  ] as const)("let nobody %s token", async (_, right, claims, subject) => {
    await relay.registered("plant-7");
    const token = await relay.issuer.mint(claims, { subject, audience: relay.url.origin });
    const attempt = right === "listen" ? relay.listen("plant-7", token) : relay.send("plant-7", token);
    expect((await (await attempt).answer).status).toBe(403);
  });

  it("are let in with their own, which is what the others lack", async () => {
    const mint = (claims: object, subject: string) =>
      relay.issuer.mint({ ...claims }, { subject, audience: relay.url.origin });
    const listener = await relay.listen("plant-7", await mint({}, "agent:plant-7"));
    expect((await listener.answer).status).toBe(101);
    await relay.send("plant-7", await mint({ cluster: "plant-7" }, "repo:octo/app"), "honest");
    expect((await nextAnnouncement(listener)).id).toBe("honest");
  });

  it("let a renewal make nobody somebody else: the channel is closed", async () => {
    const listener = await relay.registered("plant-7");
    listener.send(1, JSON.stringify({ renewToken: { token: relay.sas("plant-8", "listen") } }));
    expect(await listener.read()).toMatch(/^close:1008:/);
  });
});
