import { startAuthProxyHarness, testSession, type AuthProxyHarness } from "../support/auth-proxy-harness";

describe("auth proxy", () => {
  let harness: AuthProxyHarness;
  beforeAll(async () => {
    harness = await startAuthProxyHarness();
  });
  afterAll(async () => {
    expect(harness.apiserver.withoutUser()).toEqual([]);
    await harness.close();
  });

  it("passes a request on as the caller, with its own credential", async () => {
    const answer = await harness.fetch({ path: "/api/v1/pods?limit=1" });
    expect(answer.status).toBe(200);
    const request = harness.apiserver.requests.at(-1)!;
    expect(request.target).toBe("/api/v1/pods?limit=1");
    expect(request.values("impersonate-user")).toEqual(["github:repo:octo/app:environment:production"]);
    expect(request.values("authorization")).toEqual(["Bearer own-token-1"]);
    expect(request.values("impersonate-extra-cluster-connect.dev%2fsession")).toEqual([testSession]);
    expect(await harness.logged("request")).toMatchObject({
      status: 200,
      sessionId: testSession,
      streamId: "7",
    });
  });
});
