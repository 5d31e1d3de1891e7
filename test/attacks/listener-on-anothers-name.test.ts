/** A listener that wants senders of a cluster that is not its own. */
import { describeRelayOnNodes } from "./fixture/attacked-relay";

describeRelayOnNodes("a listener on another's name", (relay) => {
  const dialListen = async (path: string) => {
    const headers = { ServiceBusAuthorization: relay.sas("plant-8", "listen") };
    const address = `${relay.url.origin}/$hc/${path}?sb-hc-action=listen&sb-hc-id=attacker`;
    return relay.dial(address, { headers });
  };

  it.each([
    "plant-7",
    "PLANT-7",
    "plant%2d7",
    "plant-7/",
    "plant-7/plant-8",
    "plant-8%2f..%2fplant-7",
    "%70lant-7",
  ])("is let in nowhere: %s", async (path) => {
    const attacker = await dialListen(path);
    const { status } = await attacker.answer;
    expect([401, 404]).toContain(status);
    const sender = await relay.send("plant-7", relay.sas("plant-7", "send"));
    expect((await sender.answer).status).toBe(404);
  });

  it("is offered no sender by calling itself what the other's listener does", async () => {
    const listener = await relay.registered("plant-7");
    const attacker = await relay.listen("plant-8", relay.sas("plant-8", "listen"), "listener");
    expect((await attacker.answer).status).toBe(101);
    for (let count = 0; count < 5; count += 1) {
      const { accept } = await relay.announced(listener, `s${count}`);
      expect(accept.id).toBe(`s${count}`);
    }
    attacker.close(1000);
    // Its Close is the first frame that it gets: no announcement came before.
    expect(await attacker.read()).toMatch(/^close/);
  });

  it("cannot take a sender's place by the other cluster's rendezvous either", async () => {
    const listener = await relay.registered("plant-7");
    const { sender, accept } = await relay.announced(listener);
    const elsewhere = new URL(accept.address);
    elsewhere.searchParams.set("sb-hc-action", "listen");
    expect((await (await relay.dial(elsewhere)).answer).status).toBe(401);
    expect((await (await relay.dial(accept.address)).answer).status).toBe(101);
    expect((await sender.answer).status).toBe(101);
  });
});
