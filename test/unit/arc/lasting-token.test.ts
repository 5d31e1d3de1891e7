import { LastingToken } from "../../../src/arc/lasting-token";
import type { Token } from "../../../src/credentials/token-source";

describe("a token that is asked for when it is needed", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  let count: number;
  let isDown: boolean;
  beforeEach(() => {
    count = 0;
    isDown = false;
  });
  const create = ({ lifetimeMs }: Pick<Token, "lifetimeMs"> = { lifetimeMs: 100_000 }) =>
    new LastingToken({
      description: "test",
      fetch: () => {
        if (isDown) return Promise.reject(new Error("down"));
        count += 1;
        return Promise.resolve<Token>({ value: String(count), receivedAtMs: Date.now(), lifetimeMs });
      },
    });

  it("is kept for half of its life, and asked for once by calls that come together", async () => {
    const token = create();
    expect(await Promise.all([token.value(), token.value()])).toEqual(["1", "1"]);
    jest.setSystemTime(Date.now() + 49_000);
    expect(await token.value()).toBe("1");
    jest.setSystemTime(Date.now() + 2_000);
    expect(await token.value()).toBe("2");
  });

  it("serves as long as it lives when there is no other to be had", async () => {
    const token = create();
    await token.value();
    isDown = true;
    jest.setSystemTime(Date.now() + 94_000);
    expect(await token.value()).toBe("1");
    jest.setSystemTime(Date.now() + 2_000);
    await expect(token.value()).rejects.toThrow("down");
    isDown = false;
    expect(await token.value()).toBe("2");
  });

  it("is asked for anew once it was refused", async () => {
    const token = create();
    await token.value();
    token.forget();
    expect(await token.value()).toBe("2");
    isDown = true;
    token.forget();
    await expect(token.value()).rejects.toThrow("down");
  });

  it("that does not say how long it lives is kept for minutes", async () => {
    const token = create({ lifetimeMs: undefined });
    await token.value();
    jest.setSystemTime(Date.now() + 140_000);
    expect(await token.value()).toBe("1");
    jest.setSystemTime(Date.now() + 20_000);
    expect(await token.value()).toBe("2");
  });
});
