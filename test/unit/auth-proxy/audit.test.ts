import { auditTarget } from "../../../src/auth-proxy/audit";

describe("audit line", () => {
  it("shows what kind of request it was, not what was typed into it", () => {
    expect(auditTarget("/api/v1/pods")).toBe("/api/v1/pods");
    expect(auditTarget("/api/v1/pods?watch=1&fieldSelector=a%3Db&timeoutSeconds=5")).toBe(
      "/api/v1/pods?watch=1&fieldSelector=…&timeoutSeconds=5",
    );
    expect(auditTarget("/exec?command=mysql&command=-psecret&container=db")).toBe(
      "/exec?command=…&command=…&container=db",
    );
    expect(auditTarget("/x?=secret&secret")).toBe("/x?=…&secret=…");
  });
});
