import { explainArmRefusal } from "../../../src/arc/arm-refusal";
import { explainArcRefusal } from "../../../src/arc/cluster-refusal";

describe("a refusal by Azure Resource Manager", () => {
  const refusal = (status: number, code: string, message = "") =>
    explainArmRefusal(
      { status, headers: {}, body: JSON.stringify({ error: { code, message } }) },
      { path: "/subscriptions/s/listClusterUserCredential", correlationId: "c-1" },
    );
  const notConnected =
    "Cannot connect to the hybrid connection because no agent is connected in the target arc resource.";

  it.each([
    [502, "ClusterNetworkUnavailable", notConnected, "ERR_ARC_AGENT_NOT_CONNECTED"],
    [502, "ClusterNetworkUnavailable", "", "ERR_ARC_AGENT_NOT_CONNECTED"],
    [500, "InternalError", notConnected, "ERR_ARC_AGENT_NOT_CONNECTED"],
    [500, "InternalError", "", "ERR_ARM_UNREACHABLE"],
    [403, "LinkedAuthorizationFailed", "", "ERR_ARC_ROLE_MISSING"],
    [403, "SomethingNew", "", "ERR_ARC_ROLE_MISSING"],
    [404, "SomethingNew", "", "ERR_ARC_CLUSTER_NOT_FOUND"],
    [401, "InvalidAuthenticationTokenTenant", "", "ERR_ARM_TOKEN_REFUSED"],
    [409, "SomethingNew", "", "ERR_ARM_REFUSED"],
  ])("by status %i and code %s, saying %j, is %s", (status, code, message, expected) => {
    const error = refusal(status, code, message);
    expect(error.code).toBe(expected);
    expect(error.detail).toContain(code);
    expect(error.detail).toContain("[correlation id c-1]");
  });

  it("that is no JSON is told by its status", () => {
    const response = { status: 502, headers: {}, body: "<html>" };
    const error = explainArmRefusal(response, { path: "/", correlationId: "c-1" });
    expect([error.code, error.detail]).toEqual(["ERR_ARM_UNREACHABLE", "status 502 [correlation id c-1]"]);
  });
});

describe("a refusal behind arcProxy", () => {
  const application = { oid: "o-1", appid: "a-1" };
  const person = { oid: "o-2", upn: "octo@example.com" };
  const overage = { ...application, _claim_names: { groups: "src1" } };
  const refusal = (status: number, claims: Record<string, unknown>, causes: string[] = []) =>
    explainArcRefusal({ status, message: "no", causes }, claims);

  it.each([
    [401, application, "ERR_ARC_CLUSTER_TOKEN_REFUSED", "oid o-1, upn none, application a-1"],
    [403, person, "ERR_ARC_CLUSTER_FORBIDDEN", "oid o-2, upn octo@example.com"],
    [
      403,
      { sub: "system:serviceaccount:a:b" },
      "ERR_ARC_CLUSTER_FORBIDDEN",
      "subject system:serviceaccount:a:b",
    ],
    [403, overage, "ERR_ARC_GROUPS_OVERAGE", "oid o-1"],
    [401, { ...application, hasgroups: true }, "ERR_ARC_GROUPS_OVERAGE", "oid o-1"],
    [502, application, "ERR_ARC_CLUSTER_UNREACHABLE", "status 502 no"],
    [503, application, "ERR_ARC_CLUSTER_UNREACHABLE", "status 503 no"],
  ])("by status %i of %j is %s", (status, claims, code, words) => {
    const error = refusal(status, claims);
    expect(error.code).toBe(code);
    expect(error.detail).toContain(words);
  });

  it("that was made on this machine keeps its own reason", () => {
    expect(refusal(503, application, ["ERR_ENTRA_UNREACHABLE"]).code).toBe("ERR_ENTRA_UNREACHABLE");
  });
});
