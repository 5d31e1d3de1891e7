/** Tokens, and identities, in the query: never read here, never in the log. */
import { describeAttack, describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, http2Fields, kinds, sendBytes, sendHttp2Request } from "./fixture/requests";

describeAttack("identities in the query", [
  {
    name: "impersonation",
    http1: [],
    http2: [],
    target: "/api/v1/secrets?impersonate-user=somebody&Impersonate-Group=others",
    outcome: "as the caller",
  },
  {
    name: "a second token",
    http1: [],
    http2: [],
    target: "/api/v1/secrets?access_token=other&token=other&bearer=other",
    outcome: "as the caller",
  },
]);

describeOnNodes("tokens in the query", (proxy) => {
  it.each(kinds)("let nobody in: %s", async (_, kind) => {
    const { token } = proxy.caller;
    for (const name of ["access_token", "token", "authorization", "bearer_token"]) {
      const target = `${kind.target.split("?")[0]!}?${name}=${token}`;
      expect((await sendBytes(proxy, http1Text(kind, [], { target }))).statuses).toEqual([401]);
      const fields = http2Fields({ ...kind, target }, [], undefined);
      expect((await sendHttp2Request(proxy, { fields })).status).toBe(401);
    }
    expect(proxy.sent()).toHaveLength(0);
    // That the log holds nothing of the token is the invariant's.
  });

  it("are not in the log of a request that was let in either", async () => {
    const other = await proxy.issuer.mint({}, { subject: "another" });
    const target = `/api/v1/secrets?access_token=${other}&command=${other}`;
    await sendBytes(proxy, http1Text(get, [], { authorization: proxy.caller.authorization, target }));
    expect(proxy.sent()).toHaveLength(1);
    expect(proxy.process.output()).not.toContain(other.split(".")[2]);
  });
});
