import {
  asClusterConnectError,
  ClusterConnectError,
  errorRegistry,
  messageOf,
} from "../../../src/runtime/errors";

describe("error registry", () => {
  it.each(Object.entries(errorRegistry))(
    "%s has a hop, an owner, a cause and a remedy in plain words",
    (code, entry) => {
      expect(code).toMatch(/^ERR_[A-Z]+(_[A-Z0-9]+)+$|^ERR_UNEXPECTED$/);
      expect(entry.summary).toMatch(/^[a-z"'`A-Z]/);
      expect(entry.summary).not.toMatch(/[.:]$/);
      expect(entry.cause).toMatch(/\.$/);
      expect(entry.remedy).toMatch(/\.$/);
    },
  );
});

describe("an error", () => {
  it("says what failed, where, why, who can mend it and how", () => {
    const text = new ClusterConnectError("ERR_SETTINGS_INVALID", "relay.yaml: x").explain();
    expect(text).toContain("the configuration is not valid: relay.yaml: x (ERR_SETTINGS_INVALID)");
    expect(text).toMatch(/Where: configuration\. Likely cause: .+\nWhat to do \(cluster operator\): .+/);
  });

  it("wraps what it does not know and keeps the cause", () => {
    const cause = new TypeError("odd");
    expect(asClusterConnectError(cause)).toMatchObject({ code: "ERR_UNEXPECTED", detail: "odd", cause });
  });

  it("that nobody expected names the program it happened in, where that is known", () => {
    expect(asClusterConnectError(new Error("odd"), "relay").explain()).toContain("Where: relay.");
    expect(asClusterConnectError(new Error("odd")).explain()).toContain(
      "Where: the program that reports it.",
    );
    const known = new ClusterConnectError("ERR_LOCAL_PORT");
    expect(asClusterConnectError(known, "relay").hop).toBe("client proxy");
  });

  it("tells every reason of a connection that failed on several addresses", () => {
    expect(messageOf(new AggregateError([new Error("::1 refused"), new Error("127.0.0.1 refused")]))).toBe(
      "::1 refused; 127.0.0.1 refused",
    );
  });
});
