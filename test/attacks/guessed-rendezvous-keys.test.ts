/** The rendezvous key is all that a listener shows when it comes for a sender: nobody may find one. */
import { randomBytes } from "node:crypto";
import { describeRelayOnNodes } from "./fixture/attacked-relay";

describeRelayOnNodes("guessed rendezvous keys", (relay) => {
  const dialWith = async (address: string, key: string | undefined) => {
    const url = new URL(address);
    url.searchParams.delete("sb-hc-rendezvous");
    if (key !== undefined) url.searchParams.set("sb-hc-rendezvous", key);
    return (await relay.dial(url)).answer;
  };

  it.each([
    ["none", () => undefined],
    ["an empty one", () => ""],
    ["a random one", () => randomBytes(32).toString("base64url")],
    ["half of the right one", (key: string) => key.slice(0, 22)],
    ["all but its end", (key: string) => key.slice(0, -1)],
    ["the right one and a character", (key: string) => `${key}A`],
    ["the right one in another case", (key: string) => key.toUpperCase()],
    ["the right one and a NUL", (key: string) => `${key}\0`],
    ["a name of every object", () => "__proto__"],
  ])("find nobody, and the sender still waits for its own: %s", async (_, guess) => {
    const listener = await relay.registered();
    const { sender, accept } = await relay.announced(listener);
    const right = new URL(accept.address).searchParams.get("sb-hc-rendezvous")!;
    expect((await dialWith(accept.address, guess(right))).status).toBe(403);
    const leg = await relay.dial(accept.address);
    expect([(await leg.answer).status, (await sender.answer).status]).toEqual([101, 101]);
  });

  it("find nobody by the hundred, and cannot reject anybody either", async () => {
    const listener = await relay.registered();
    const { sender, accept } = await relay.announced(listener);
    const guesses = Array.from({ length: 200 }, (_, index) =>
      dialWith(
        index % 2 === 0
          ? accept.address
          : `${accept.address}&sb-hc-statusCode=403&sb-hc-statusDescription=no`,
        randomBytes(32).toString("base64url"),
      ),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([403]));
    const leg = await relay.dial(accept.address);
    expect([(await leg.answer).status, (await sender.answer).status]).toEqual([101, 101]);
  });

  it("are as long as they have to be, and new for each sender", async () => {
    const listener = await relay.registered();
    const keys = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      const { accept } = await relay.announced(listener);
      keys.add(new URL(accept.address).searchParams.get("sb-hc-rendezvous")!);
    }
    expect([...keys].map((key) => Buffer.from(key, "base64url").length)).toEqual([32, 32, 32, 32, 32]);
  });
});
