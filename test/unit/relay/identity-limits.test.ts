import { IdentityLimits } from "../../../src/relay/identity-limits";
import { RelayEnds } from "./relay-ends";

describe("limits of an identity", () => {
  let now = 0;
  const limitsOf = (linksPerIdentity: number, opensPerIdentityPerMinute: number) =>
    new IdentityLimits({ linksPerIdentity, opensPerIdentityPerMinute, now: () => now });
  const refused = (reason: string, retryAfterSeconds: number) =>
    expect.objectContaining({ status: 429, reason, retryAfterSeconds });

  it("bound the links it has, and give each back once", () => {
    const limits = limitsOf(2, 100);
    const close = limits.open("a");
    limits.open("a");
    expect(() => limits.open("a")).toThrow(refused("identity_links", 10));
    limits.open("b");
    close();
    close();
    limits.open("a");
    expect(() => limits.open("a")).toThrow(refused("identity_links", 10));
  });

  it("bound how often it opens one, and say when the next may come", () => {
    const limits = limitsOf(100, 6);
    for (let i = 0; i < 6; i += 1) limits.open("a")();
    expect(() => limits.open("a")).toThrow(refused("identity_opens", 10));
    now += 4_000;
    expect(() => limits.open("a")).toThrow(refused("identity_opens", 6));
    now += 6_000;
    limits.open("a")();
    expect(() => limits.open("a")).toThrow(refused("identity_opens", 10));
    now += 3_600_000;
    for (let i = 0; i < 6; i += 1) limits.open("a")();
    expect(() => limits.open("a")).toThrow(refused("identity_opens", 10));
  });

  it("forget identities that use nothing, and only those", () => {
    const limits = limitsOf(1, 1);
    limits.open("stays");
    for (let i = 0; i < 5_000; i += 1) limits.open(`goes ${i}`)();
    expect(limits.size).toBe(5_001);
    now += 60_000;
    limits.open("new");
    expect(limits.size).toBe(2);
    expect(() => limits.open("stays")).toThrow(refused("identity_links", 10));
  });
});

describe("a relay with limits of an identity", () => {
  let ends: RelayEnds;
  afterEach(() => ends.close());
  const answer = async () => (await ends.connect()).answer;

  it("answers 429 with Retry-After, and lets in again when a link has ended", async () => {
    ends = await RelayEnds.start({ limits: { linksPerIdentity: 1 } });
    const channel = await ends.listen();
    const first = await ends.connect();
    await ends.announced(channel);
    const { status, headers } = await answer();
    expect([status, headers["retry-after"]]).toEqual([429, "10"]);
    first.socket.destroy();
    await ends.until("pending_senders", 0);
    await ends.connect();
    await ends.announced(channel);
  });

  it("counts openings whatever becomes of them", async () => {
    ends = await RelayEnds.start({ limits: { opensPerIdentityPerMinute: 2 } });
    const statuses = [(await answer()).status, (await answer()).status, (await answer()).status];
    expect(statuses).toEqual([404, 404, 429]);
  });
});
