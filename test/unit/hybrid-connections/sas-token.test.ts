import { createHmac } from "node:crypto";
import {
  coversPath,
  createSasToken,
  isSasToken,
  isSignedBy,
  parseSasToken,
} from "../../../src/hybrid-connections/sas-token";

const signed = (resource: string, { key = "secret", skn = "name", expiry = "2000000000" } = {}) => {
  const sig = createHmac("sha256", key).update(`${resource}\n${expiry}`).digest("base64");
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(sig)}&se=${expiry}&skn=${skn}`;
};
const hosts = ["relay.example.com"];
const parsed = (text: string) => parseSasToken(text)!;

describe("a shared access signature", () => {
  it("that we make is one that we accept", () => {
    const token = parsed(
      createSasToken({
        relay: new URL("https://Relay.example.com:8443"),
        entity: "emea/Plant-7",
        keyName: "plant & key",
        key: "s3cret==",
        lifetimeMs: 60_000,
        nowMs: 1_000_000,
      }),
    );
    expect(token.keyName).toBe("plant & key");
    expect(token.expiresAtMs).toBe(1_060_000);
    expect(isSignedBy(token, "s3cret==")).toBe(true);
    expect(isSignedBy(token, "other")).toBe(false);
    expect(coversPath(token, hosts, "emea/plant-7")).toBe(true);
  });

  it.each([
    ["with the port kept", "http%3A%2F%2Frelay.example.com%3A443%2Fhc"],
    ["from an HTTPS address", "http%3a%2f%2frelay.example.com%2fhc"],
    ["for the whole namespace", "http%3A%2F%2Frelay.example.com%2F"],
    ["with a slash at the end", "http%3A%2F%2Frelay.example.com%2Fhc%2F"],
    ["with another scheme and case", "https%3A%2F%2FRELAY.example.com%2FHC"],
    ["with the path of the WebSocket address", "sb%3A%2F%2Frelay.example.com%2F%24hc%2Fhc"],
  ])("is verified as it was sent and covers its entity %s", (_, resource) => {
    const token = parsed(signed(resource));
    expect(isSignedBy(token, "secret")).toBe(true);
    expect(coversPath(token, hosts, "hc")).toBe(true);
    expect(coversPath(token, hosts, "hc/suffix")).toBe(true);
  });

  it.each([
    ["another entity", "http%3A%2F%2Frelay.example.com%2Fother"],
    ["a mere beginning of the name", "http%3A%2F%2Frelay.example.com%2Fh"],
    ["another host", "http%3A%2F%2Fevil.example.com%2Fhc"],
    ["no address", "nonsense"],
    ["a broken escape", "http%3A%2F%2Frelay.example.com%2F%25zz"],
  ])("for %s covers nothing here", (_, resource) => {
    expect(coversPath(parsed(signed(resource)), hosts, "hc")).toBe(false);
  });

  it("has its fields in any order and case", () => {
    const text = signed("http%3A%2F%2Frelay.example.com%2Fhc").replace(
      /sr=([^&]+)&(.+)$/,
      (_, resource: string, rest: string) => `${rest.replace("skn=", "SKN=")}&SR=${resource}`,
    );
    expect(isSignedBy(parsed(text), "secret")).toBe(true);
  });

  it.each([
    ["without a field", "SharedAccessSignature sr=a&sig=b&se=1"],
    ["with a field twice", "SharedAccessSignature sr=a&sr=a&sig=b&se=1&skn=n"],
    ["with an empty field", "SharedAccessSignature sr=&sig=b&se=1&skn=n"],
    ["with an expiry that is no number", "SharedAccessSignature sr=a&sig=b&se=1e9&skn=n"],
    ["with a broken escape", "SharedAccessSignature sr=a&sig=%zz&se=1&skn=n"],
    ["of another scheme", "Bearer x"],
  ])("%s is none", (_, text) => expect(parseSasToken(text)).toBeUndefined());

  it("is told from a JWT by its scheme word", () => {
    expect(isSasToken("sharedaccesssignature sr=x")).toBe(true);
    expect(isSasToken("eyJhbGciOi.a.b")).toBe(false);
  });
});
