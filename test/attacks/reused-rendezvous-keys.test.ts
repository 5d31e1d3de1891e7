/** A rendezvous key that has been used: for a second look at somebody else's session. */
import { describeRelayOnNodes } from "./fixture/attacked-relay";

describeRelayOnNodes("reused rendezvous keys", (relay) => {
  it("are refused while the session goes on, which hears nothing of it", async () => {
    const listener = await relay.registered();
    const { sender, accept } = await relay.announced(listener);
    const leg = await relay.dial(accept.address);
    expect((await leg.answer).status).toBe(101);
    const again = await relay.dial(accept.address);
    expect((await again.answer).status).toBe(403);
    expect((await (await relay.dial(`${accept.address}&sb-hc-statusCode=500`)).answer).status).toBe(403);
    await sender.answer;
    sender.send(2, "for the first alone");
    expect(await leg.read()).toBe("2:for the first alone");
    expect(await again.next()).not.toHaveProperty("payload");
  });

  it("are refused when two come at once: one of them is joined", async () => {
    const listener = await relay.registered();
    const { accept } = await relay.announced(listener);
    const legs = await Promise.all([1, 2, 3, 4].map(() => relay.dial(accept.address)));
    const statuses = (await Promise.all(legs.map(({ answer }) => answer))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([101, 403, 403, 403]);
  });

  it("are refused after the sender was rejected with them", async () => {
    const listener = await relay.registered();
    const { sender, accept } = await relay.announced(listener);
    const rejecting = await relay.dial(`${accept.address}&sb-hc-statusCode=403&sb-hc-statusDescription=no`);
    expect((await rejecting.answer).status).toBe(410);
    expect((await sender.answer).status).toBe(403);
    expect((await (await relay.dial(accept.address)).answer).status).toBe(403);
  });

  it("are refused after the session is over", async () => {
    const listener = await relay.registered();
    const { sender, accept } = await relay.announced(listener);
    const leg = await relay.dial(accept.address);
    await leg.answer;
    sender.socket.destroy();
    expect(await leg.read()).toMatch(/^close:/);
    expect((await (await relay.dial(accept.address)).answer).status).toBe(403);
  });
});
