import { authenticationConfiguration, trustedIssuers } from "../../../src/identity/configuration/settings";
import { validateSettings } from "../../../src/runtime/settings";
import table from "../../support/authentication-cases/configurations.json";

interface ConfigurationCase {
  readonly name: string;
  readonly configuration: Readonly<Record<string, unknown>>;
  /** What a kube-apiserver finds wrong, each as path and kind; or that it cannot even read it. */
  readonly apiserver: readonly string[] | "undecodable";
  /** Why this is decided otherwise here. */
  readonly differs?: string;
}

const cases = table as unknown as readonly ConfigurationCase[];

function problemsOf(configuration: object): readonly string[] | "undecodable" {
  const result = authenticationConfiguration.safeParse({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    ...configuration,
  });
  if (result.success) return [];
  const { issues } = result.error;
  if (issues.some(({ code }) => code !== "custom")) return "undecodable";
  const written = issues.map(({ path, message }) => `${pathText(path)}: ${message.split(":")[0] ?? ""}`);
  return [...new Set(written)].sort();
}

/** As the kube-apiserver writes it: `jwt[0].issuer.url`. */
const pathText = (path: readonly PropertyKey[]) =>
  path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .slice(1);

describe("authentication configuration", () => {
  it.each(cases.map((item) => [item.name, item] as const))(
    "with %s is judged as by the kube-apiserver",
    (_, item) => {
      if (item.differs === undefined) expect(problemsOf(item.configuration)).toEqual(item.apiserver);
      else expect(problemsOf(item.configuration)).not.toEqual(item.apiserver);
    },
  );

  it("names the place, the kind of error and the reason", () => {
    const wrong = {
      jwt: [
        { issuer: { url: "https://a", audiences: ["a"] }, claimMappings: { username: { claim: "sub" } } },
      ],
    };
    expect(() => validateSettings(wrong, authenticationConfiguration, "auth.yaml")).toThrow(
      "auth.yaml: jwt.0.claimMappings.username.prefix: Required value: it can be set to an empty string",
    );
  });

  it("suggests the key that was meant", () => {
    const wrong = { jwt: [{ issuer: { url: "https://a", audience: ["a"] } }] };
    expect(() => validateSettings(wrong, authenticationConfiguration, "auth.yaml")).toThrow(
      'did you mean "audiences"?',
    );
  });

  it("takes keys written out or from a file, and one source of them", () => {
    const withKeys = (issuer: object) =>
      trustedIssuers.safeParse([{ issuer: { url: "https://a", audiences: ["a"], ...issuer } }]).success;
    const jwks = { keys: [{ kty: "RSA" }] };
    expect([{ jwks }, { jwksFile: "/keys" }].map(withKeys)).toEqual([true, true]);
    const wrong = [
      { jwks, jwksFile: "/keys" },
      { jwks, discoveryURL: "https://b/d" },
      { jwks: { keys: [] } },
    ];
    expect(wrong.map(withKeys)).toEqual([false, false, false]);
    expect(withKeys({ jwks: { keys: [{ kty: "oct", k: "AAAA" }] } })).toBe(false);
  });
});

describe("issuers that are trusted for their claims alone", () => {
  it("need neither mapping nor audience, and are otherwise judged the same", () => {
    const issues = (...entries: object[]) =>
      trustedIssuers.safeParse(entries).error?.issues.map(({ path }) => path.join(".")) ?? [];
    expect(issues({ issuer: { url: "https://a" } }, { issuer: { url: "http://[::1]:1" } })).toEqual([]);
    expect(issues({ issuer: { url: "https://a" } }, { issuer: { url: "https://a" } })).toEqual([
      "1.issuer.url",
    ]);
    const rule = { issuer: { url: "https://a" }, claimValidationRules: [{ expression: "1" }] };
    expect(issues(rule)).toEqual(["0.claimValidationRules.0.expression"]);
    const userRule = { issuer: { url: "https://a" }, userValidationRules: [{ expression: "true" }] };
    expect(issues(userRule)).toEqual(["0.claimMappings"]);
  });
});
