import { HandshakeRefused } from "../../../src/hybrid-connections/handshake-refused";
import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import { ClusterConnectError, type ErrorCode } from "../../../src/runtime/errors";
import { isPermanent } from "../../../src/client-proxy/permanent-failures";
import { explainRelayFailure } from "../../../src/client-proxy/relay-failure";

const relayUrl = new URL("https://relay.example.com:8443");
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
const attempt = (claims: object) => ({ relayUrl, authorization: jwt(claims) });
const claims = { iss: "https://issuer", sub: "repo:octo/app", aud: "https://elsewhere" };
const refused = (status: number, reason = "", code?: string) =>
  new HandshakeRefused(status, reason, code === undefined ? {} : { "cluster-connect-error": code });
const trouble = (code: string) => Object.assign(new Error("trouble"), { code });

describe("a failure to reach the relay", () => {
  it.each<[string, unknown, ErrorCode, boolean]>([
    ["a 401", refused(401), "ERR_RELAY_TOKEN_REFUSED", true],
    ["a 403", refused(403), "ERR_RELAY_TOKEN_REFUSED", true],
    ["a 401 for the audience", refused(401, "", "ERR_TOKEN_AUDIENCE"), "ERR_RELAY_TOKEN_AUDIENCE", true],
    ["a 401 for the expiry", refused(401, "", "ERR_TOKEN_EXPIRED"), "ERR_RELAY_TOKEN_REFUSED", true],
    ["a 401 with a word unknown here", refused(401, "", "ERR_NEW"), "ERR_RELAY_TOKEN_REFUSED", true],
    ["a 404", refused(404), "ERR_AGENT_NOT_CONNECTED", false],
    ["a 502", refused(502), "ERR_AGENT_NOT_CONNECTED", false],
    ["a 504", refused(504), "ERR_AGENT_NOT_CONNECTED", false],
    ["a 503", refused(503), "ERR_RELAY_BUSY", false],
    ["a 429", refused(429), "ERR_RELAY_BUSY", false],
    ["another status", refused(302), "ERR_RELAY_UNREACHABLE", false],
    ["a name that does not resolve", trouble("ENOTFOUND"), "ERR_RELAY_UNREACHABLE", false],
    ["a private CA", trouble("SELF_SIGNED_CERT_IN_CHAIN"), "ERR_RELAY_UNTRUSTED", true],
    ["another host's name", trouble("ERR_TLS_CERT_ALTNAME_INVALID"), "ERR_RELAY_UNTRUSTED", true],
    [
      "an untrusted certificate beneath",
      new Error("outer", { cause: trouble("CERT_HAS_EXPIRED") }),
      "ERR_RELAY_UNTRUSTED",
      true,
    ],
    [
      "the outbound proxy's refusal",
      new ClusterConnectError("ERR_OUTBOUND_PROXY_REFUSED", "p:1"),
      "ERR_OUTBOUND_PROXY_REFUSED",
      true,
    ],
    [
      "the outbound proxy's failure",
      new ClusterConnectError("ERR_OUTBOUND_PROXY_FAILED", "p:1"),
      "ERR_OUTBOUND_PROXY_FAILED",
      false,
    ],
    ["something that is no error", "text", "ERR_RELAY_UNREACHABLE", false],
  ])("by %s is told by its code, and whether to try again", (_, thrown, code, permanent) => {
    const failure = explainRelayFailure(thrown, attempt(claims));
    expect(failure.code).toBe(code);
    expect(isPermanent(failure)).toBe(permanent);
  });

  it("shows the claims of a refused token, and nothing else of it", () => {
    const { detail } = explainRelayFailure(refused(403, "No rule"), attempt({ ...claims, jti: "unseen" }));
    expect(detail).toBe(
      'the relay answered 403 No rule [issuer "https://issuer", subject "repo:octo/app", audience "https://elsewhere"]',
    );
  });

  it("shows no claims where they did not matter", () => {
    expect(explainRelayFailure(refused(404, "None"), attempt(claims)).detail).toBe(
      "the relay answered 404 None",
    );
  });

  it("names what it cannot read of a refused token as none", () => {
    expect(explainRelayFailure(refused(401), attempt({})).detail).toContain("issuer none, subject none");
    expect(explainRelayFailure(refused(401), { relayUrl, authorization: "opaque" }).detail).toBe(
      "the relay answered 401",
    );
  });
});

describe("an audience that the relay refused", () => {
  const refusal = refused(401, "The token is not accepted", "ERR_TOKEN_AUDIENCE");

  it("is told beside the one that relays want by themselves", () => {
    const { detail } = explainRelayFailure(refusal, attempt(claims));
    expect(detail).toContain(`the token's audience is "https://elsewhere"`);
    expect(detail).toContain("its own origin, here https://relay.example.com:8443");
    expect(detail).not.toContain("repo:octo/app");
  });

  it("that is the relay's origin already points at the relay's own settings", () => {
    const { detail } = explainRelayFailure(refusal, attempt({ aud: relayUrl.origin }));
    expect(detail).toContain("the relay knows itself by another one");
  });

  it("of a signature is the resource that was signed", () => {
    const authorization = createSasToken({
      relay: relayUrl,
      entity: "plant-7",
      keyName: "ci",
      key: "secret-of-the-relay",
      lifetimeMs: 1,
    });
    const { code, detail } = explainRelayFailure(refused(403, "", "ERR_TOKEN_AUDIENCE"), {
      relayUrl,
      authorization,
    });
    expect(code).toBe("ERR_RELAY_TOKEN_AUDIENCE");
    expect(detail).toContain("the signature is for http://relay.example.com/plant-7");
    expect(detail).not.toMatch(/sig=|skn=|secret/);
  });
});
