import { encodeProxyHeader } from "../../../src/agent/proxy-header";

describe("the PROXY header", () => {
  it("has the signature, LOCAL, no address, and the ids of session and stream", () => {
    expect(encodeProxyHeader("ab-1", 7).toString("hex")).toBe(
      "0d0a0d0a000d0a515549540a" +
        "20" +
        "00" +
        "0009" +
        "e0" +
        "0006" +
        Buffer.from("ab-1/7").toString("hex"),
    );
  });
});
