import { recognizePassThrough } from "../../../src/auth-proxy/pass-through";

const settings = { issuer: "https://k8s.example", audiences: ["https://k8s.example", "api"] };
const token = (claims: object, header: object = { alg: "RS256" }) =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".") + ".c2ln";
const good = {
  iss: settings.issuer,
  aud: ["api"],
  sub: "system:serviceaccount:ci:deployer",
  exp: 1_700_000_000,
};

describe("a token that the cluster has issued", () => {
  it("is recognised by issuer and audience, whatever else it says", () => {
    const text = token(good);
    expect(recognizePassThrough(text, settings)).toEqual({
      kind: "passed-through",
      token: text,
      claimedSubject: "system:serviceaccount:ci:deployer",
      expiresAtMs: 1_700_000_000_000,
    });
    expect(recognizePassThrough(token({ ...good, aud: "api" }), settings)).toBeDefined();
  });

  it("may say neither whose it is nor when it ends", () => {
    const { iss, aud } = good;
    for (const claims of [
      { iss, aud },
      { iss, aud, sub: 7, exp: "soon" },
    ]) {
      expect(recognizePassThrough(token(claims), settings)).toMatchObject({
        claimedSubject: "",
        expiresAtMs: Infinity,
      });
    }
    expect(
      recognizePassThrough(token({ ...good, sub: "x".repeat(9_999) }), settings)?.claimedSubject,
    ).toHaveLength(512);
  });

  it.each([
    ["another issuer", token({ ...good, iss: "https://k8s.example/" })],
    ["no issuer", token({ ...good, iss: undefined })],
    ["another audience", token({ ...good, aud: "https://relay.example" })],
    ["no audience", token({ ...good, aud: undefined })],
    ["an audience that is no text", token({ ...good, aud: [{ api: 1 }, 7, null] })],
    ["two parts", token(good).split(".").slice(0, 2).join(".")],
    ["five parts", `${token(good)}.a.b`],
    ["no JSON", "a.b.c"],
    ["claims that are a list", `e30.${Buffer.from("[]").toString("base64url")}.c2ln`],
  ])("is none with %s", (_, text) => {
    expect(recognizePassThrough(text, settings)).toBeUndefined();
  });

  it("is none where the operator has not said so", () => {
    expect(recognizePassThrough(token(good), undefined)).toBeUndefined();
  });
});
