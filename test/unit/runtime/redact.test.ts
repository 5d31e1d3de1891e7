import { redact, redactFields } from "../../../src/runtime/redact";

const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";

describe("redaction", () => {
  it.each([
    ["a token in running text", `refused ${jwt} at once`],
    ["a bearer header", `Authorization: Bearer ${jwt}`],
    ["an opaque bearer", "Bearer abcdefgh12345678"],
    ["a relay token in a query", `wss://relay/$hc/a?sb-hc-token=${jwt}&sb-hc-id=1`],
    ["a WebSocket bearer subprotocol", "base64url.bearer.authorization.k8s.io.ZXlKaGJHY2lPaUp"],
    ["a private key", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"],
    ["a token behind a name with dots", `plant.example.${jwt}`],
    ["two tokens that touch", `${jwt}.${jwt}`],
    ["the end of a token alone", `/api/v1/name02MDY2.${"aB3_-x".repeat(14)}eyJ`],
    ["a SAS token", "SharedAccessSignature sr=http%3a%2f%2fhost&sig=abcd&se=1&skn=name"],
  ])("hides %s", (_, text) => {
    const shown = redact(text);
    expect(shown).toContain("[redacted]");
    expect(shown).not.toMatch(/eyJ|aB3_|abcdefgh12345678|ZXlK|MIIE|sig=abcd/);
  });

  it("keeps what surrounds a secret", () => {
    expect(redact(`refused ${jwt} at once`)).toBe("refused [redacted] at once");
  });

  it.each([
    ["a digest", "ab12".repeat(32)],
    ["a subject of Entra", "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ"],
    ["names joined by dots", "a-service-of-plant-7.default.svc.cluster.local"],
    ["something that only begins as a token", "eyJhbGciOiJSUzI1NiJ9.notes"],
  ])("shows %s", (_, text) => {
    expect(redact(text)).toBe(text);
  });

  it("hides values by the name of their field, at any depth it logs", () => {
    expect(redactFields({ outer: { requestToken: "x", port: 1, list: [{ password: "y" }] } })).toEqual({
      outer: { requestToken: "[redacted]", port: 1, list: [{ password: "[redacted]" }] },
    });
  });

  it("hides a secret inside an error's message", () => {
    expect(redactFields({ reason: new Error(`bad ${jwt}`) })).toEqual({ reason: "bad [redacted]" });
  });
});
