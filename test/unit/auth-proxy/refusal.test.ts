import { refusalOf, statusBody } from "../../../src/auth-proxy/refusal";
import { asClusterConnectError, ClusterConnectError } from "../../../src/runtime/errors";

const statusOf = (error: ClusterConnectError) =>
  JSON.parse(statusBody(error, refusalOf(error))) as Record<string, unknown>;

describe("a refusal", () => {
  it("is a Status with the hop, the code and the reason that clients decide by", () => {
    expect(statusOf(new ClusterConnectError("ERR_TOKEN_AUDIENCE", "expected x"))).toMatchObject({
      kind: "Status",
      code: 401,
      reason: "Unauthorized",
      message: "identity provider: the token was issued for somebody else: expected x (ERR_TOKEN_AUDIENCE)",
      details: { causes: [{ reason: "ERR_TOKEN_AUDIENCE" }] },
    });
  });

  it("invites to repeat only where the apiserver has seen nothing", () => {
    const seconds = (code: "ERR_APISERVER_UNREACHABLE" | "ERR_APISERVER_LOST") =>
      statusOf(new ClusterConnectError(code))["details"];
    expect(seconds("ERR_APISERVER_UNREACHABLE")).toHaveProperty("retryAfterSeconds", 1);
    expect(seconds("ERR_APISERVER_LOST")).not.toHaveProperty("retryAfterSeconds");
  });

  it("of what nobody expected names the auth proxy and is no invitation", () => {
    const status = statusOf(asClusterConnectError(new Error("odd"), "auth proxy"));
    expect(status).toMatchObject({ code: 500, reason: "InternalError" });
    expect(status["message"]).toMatch(/^auth proxy: /);
    expect(status["details"]).not.toHaveProperty("retryAfterSeconds");
  });
});
