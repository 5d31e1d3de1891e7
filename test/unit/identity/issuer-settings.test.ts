import { authenticationConfiguration } from "../../../src/identity/authentication-configuration";
import { issuerSchema } from "../../../src/identity/issuer-settings";
import { validateSettings } from "../../../src/runtime/settings";

const entry = (issuer: object = {}, more: object = {}) => ({
  issuer: { url: "https://issuer.example.com", audiences: ["a"], ...issuer },
  claimMappings: { username: { claim: "sub", prefix: "" } },
  ...more,
});
const load = (...jwt: object[]) =>
  validateSettings(
    { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration", jwt },
    authenticationConfiguration,
    "auth.yaml",
  );

describe("authentication configuration", () => {
  it("reads what the kube-apiserver reads", () => {
    const configuration = load(
      entry({ audiences: ["a", "b"], audienceMatchPolicy: "MatchAny" }),
      entry({ url: "https://other.example.com", discoveryURL: "https://10.0.0.1/keys" }),
    );
    expect(configuration.jwt).toHaveLength(2);
  });

  it.each<[string, object[]]>([
    ["no entry", []],
    ["an unknown key", [entry({}, { claimMapping: {} })]],
    ["plain http", [entry({ url: "http://issuer.example.com" })]],
    ["a query", [entry({ url: "https://issuer.example.com?a=b" })]],
    ["a user in the URL", [entry({ url: "https://me@issuer.example.com" })]],
    ["a fragment", [entry({ url: "https://issuer.example.com#a" })]],
    ["no audience", [entry({ audiences: [] })]],
    ["several audiences without MatchAny", [entry({ audiences: ["a", "b"] })]],
    ["an audience twice", [entry({ audiences: ["a", "a"], audienceMatchPolicy: "MatchAny" })]],
    ["one issuer twice", [entry(), entry()]],
    ["a discoveryURL that is the url", [entry({ discoveryURL: "https://issuer.example.com" })]],
    ["two sources of keys", [entry({ jwksFile: "/keys", jwks: { keys: [{ kty: "RSA" }] } })]],
    ["a claim without a prefix", [entry({}, { claimMappings: { username: { claim: "sub" } } })]],
    ["no user name", [entry({}, { claimMappings: {} })]],
    ["no mapping", [{ issuer: entry().issuer }]],
    ["egressSelectorType, which means nothing here", [entry({ egressSelectorType: "cluster" })]],
  ])("refuses %s", (_, jwt) => {
    expect(() => load(...jwt)).toThrow(expect.objectContaining({ code: "ERR_SETTINGS_INVALID" }));
  });

  it("suggests the key that was meant", () => {
    expect(() => load(entry({ audience: ["a"] }))).toThrow('did you mean "audiences"?');
  });

  it("lets plain http pass on loopback, and does without a mapping where only claims matter", () => {
    for (const host of ["127.0.0.1:8080", "localhost", "[::1]:1"]) {
      expect(issuerSchema.safeParse({ issuer: { url: `http://${host}` } }).success).toBe(true);
    }
    expect(issuerSchema.safeParse({ issuer: { url: "http://127.0.0.1.example.com" } }).success).toBe(false);
  });
});
