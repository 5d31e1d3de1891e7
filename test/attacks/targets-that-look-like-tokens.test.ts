/** What a caller writes into a request target reaches the log: no token may stand there, and looking for it costs little. */
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, http2Fields, sendBytes, sendHttp2Request } from "./fixture/requests";

describeOnNodes("targets that look like tokens", (proxy) => {
  const sendBoth = async (target: string, authorization: string | undefined) => {
    const { statuses } = await sendBytes(proxy, http1Text(get, [], { authorization, target }));
    const fields = http2Fields({ ...get, target }, [], authorization);
    return [...statuses, (await sendHttp2Request(proxy, { fields })).status];
  };
  /** The token, from somewhere in its claims on. */
  const end = () => proxy.caller.token.slice(-200);

  // The invariant looks for the signature in what the auth proxy writes.
  it.each([
    ["a path", () => `/api/${end()}`],
    ["a parameter whose value is logged", () => `/api?continue=${end()}`],
    ["a parameter's name", () => `/api?${end()}`],
    ["a path behind dots", () => `/api/a.b.${end()}`],
  ])("do not reach the log, from a caller without a token: %s", async (_, target) => {
    expect(await sendBoth(target(), undefined)).toEqual([401, 401]);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("keep nobody waiting, however often one seems to begin", async () => {
    const target = `/${"eyJ".repeat(160_000)}`;
    const answers = await Promise.all(
      Array.from({ length: 2 }, () =>
        sendBytes(proxy, http1Text(get, [], { authorization: undefined, target })),
      ),
    );
    expect(answers.map(({ statuses }) => statuses)).toEqual(Array.from({ length: 2 }, () => [401]));
    const { authorization } = proxy.caller;
    expect((await sendBytes(proxy, http1Text(get, [], { authorization }))).statuses).toEqual([200]);
  });
});
