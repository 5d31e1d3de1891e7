import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { SignJWT } from "jose";
import { trustedIssuers } from "../../../src/identity/configuration/settings";
import { acceptedAlgorithms, createTokenVerifier } from "../../../src/identity/token-verifier";
import { startIssuer, type TestIssuer } from "../../support/issuer";

const audience = "cluster-connect/plant-7";
const entryOf = (issuer: object, more: object = {}) => trustedIssuers.parse([{ issuer, ...more }])[0]!;
const entryFor = (issuer: TestIssuer, more: object = {}) =>
  entryOf({ url: issuer.url, audiences: [audience], ...more });

describe("token verifier", () => {
  let issuer: TestIssuer;
  const open: { close(): unknown }[] = [];
  const verifierFor = (...args: Parameters<typeof createTokenVerifier>) => {
    const verifier = createTokenVerifier(...args);
    open.push(verifier);
    return verifier;
  };
  const failure = (code: string) => expect.objectContaining({ code });

  beforeEach(async () => {
    issuer = await startIssuer();
    open.push(issuer);
  });
  afterEach(async () => {
    for (const item of open.splice(0)) await item.close();
  });

  it("verifies a token by keys that it finds through discovery, and gives its claims", async () => {
    const verifier = verifierFor([entryFor(issuer)]);
    const token = await verifier.verify(await issuer.mint({ repository: "octo/app" }));
    expect(token.issuer).toBe(issuer.url);
    expect(token.claims.repository).toBe("octo/app");
    expect(token.expiresAtMs).toBeGreaterThan(Date.now());
    await verifier.verify(await issuer.mint());
    expect(issuer.keyFetches).toBe(1);
  });

  it("trusts the issuer's certificate by certificateAuthority, and by nothing else", async () => {
    const secure = await startIssuer({ tls: true });
    open.push(secure);
    const token = await secure.mint();
    const trusting = verifierFor([entryFor(secure, { certificateAuthority: secure.caPem })]);
    await expect(trusting.verify(token)).resolves.toBeDefined();
    await expect(verifierFor([entryFor(secure)]).verify(token)).rejects.toEqual(
      failure("ERR_ISSUER_KEYS_UNAVAILABLE"),
    );
  });

  it("takes keys given inline without asking anybody", async () => {
    const verifier = verifierFor([entryFor(issuer, { jwks: issuer.jwks() })]);
    await verifier.verify(await issuer.mint());
    expect(issuer.keyFetches).toBe(0);
  });

  it.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"])(
    "accepts %s",
    async (algorithm) => {
      const other = await startIssuer({ algorithm });
      open.push(other);
      expect(acceptedAlgorithms).toContain(algorithm);
      await verifierFor([entryFor(other)]).verify(await other.mint());
    },
  );

  it("refuses none, HMAC with a published key, and what is not a JWT", async () => {
    const verifier = verifierFor([entryFor(issuer)]);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: issuer.url, aud: audience, exp: Date.now() };
    const unsigned = `${part({ alg: "none" })}.${part(claims)}.`;
    await expect(verifier.verify(unsigned)).rejects.toEqual(failure("ERR_TOKEN_ALGORITHM"));
    const secret = Buffer.from(JSON.stringify(issuer.jwks().keys[0]));
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(secret);
    await expect(verifier.verify(confused)).rejects.toEqual(failure("ERR_TOKEN_ALGORITHM"));
    const critical = `${part({ alg: "ES256", crit: ["b64"], b64: false })}.${part(claims)}.AA`;
    for (const text of [
      "",
      "a.b",
      "a.b.c",
      "a.b.c.d",
      `${part({})}.${part([])}.`,
      critical,
      "x".repeat(200_000),
    ]) {
      await expect(verifier.verify(text)).rejects.toEqual(failure("ERR_TOKEN_MALFORMED"));
    }
  });

  it("refuses an altered token and one of another issuer", async () => {
    const verifier = verifierFor([entryFor(issuer)]);
    const [header, , signature] = (await issuer.mint()).split(".");
    const [, payload] = (await issuer.mint({ sub: "somebody else" })).split(".");
    await expect(verifier.verify([header, payload, signature].join("."))).rejects.toEqual(
      failure("ERR_TOKEN_SIGNATURE"),
    );
    await expect(verifier.verify(await issuer.mint({}, { issuer: `${issuer.url}/` }))).rejects.toEqual(
      failure("ERR_TOKEN_ISSUER_UNKNOWN"),
    );
  });

  it("demands one of the configured audiences", async () => {
    const verifier = verifierFor([entryFor(issuer)]);
    await verifier.verify(await issuer.mint({}, { audience: ["other", audience] }));
    for (const wrong of ["other", [], [7], { [audience]: true }]) {
      await expect(verifier.verify(await issuer.mint({ aud: wrong }))).rejects.toEqual(
        failure("ERR_TOKEN_AUDIENCE"),
      );
    }
    expect(() => createTokenVerifier([entryOf({ url: issuer.url })])).toThrow("no audience");
    const byDefault = verifierFor([entryOf({ url: issuer.url })], {
      defaultAudiences: ["https://relay.example.com"],
    });
    await byDefault.verify(await issuer.mint({}, { audience: "https://relay.example.com" }));
  });

  it("requires exp, gives it no leeway, and gives nbf one minute", async () => {
    let now = Date.now();
    const verifier = verifierFor([entryFor(issuer)], { now: () => now, limits: { cacheMs: 0 } });
    await expect(verifier.verify(await issuer.mint({}, { lifetimeSeconds: null }))).rejects.toEqual(
      failure("ERR_TOKEN_CLAIM"),
    );
    await expect(verifier.verify(await issuer.mint({ exp: "9999999999" }))).rejects.toEqual(
      failure("ERR_TOKEN_CLAIM"),
    );
    const token = await issuer.mint({}, { lifetimeSeconds: 10 });
    const { expiresAtMs } = await verifier.verify(token);
    now = expiresAtMs - 1;
    await verifier.verify(token);
    now = expiresAtMs;
    await expect(verifier.verify(token)).rejects.toEqual(failure("ERR_TOKEN_EXPIRED"));
    const seconds = Math.floor(Date.now() / 1_000);
    const early = await issuer.mint({}, { notBefore: seconds });
    now = (seconds - 60) * 1_000;
    await verifier.verify(early);
    now -= 1;
    await expect(verifier.verify(early)).rejects.toEqual(failure("ERR_TOKEN_NOT_YET_VALID"));
  });

  it("tries every key for a token that names none, and asks for new keys when none fits", async () => {
    await issuer.rotate();
    const verifier = verifierFor([entryFor(issuer)], { limits: { keyCooldownMs: 0 } });
    for (const kid of [null, ""]) await verifier.verify(await issuer.mint({}, { kid }));
    expect(issuer.keyFetches).toBe(1);
    await issuer.rotate(false);
    await verifier.verify(await issuer.mint({}, { kid: null }));
    expect(issuer.keyFetches).toBe(2);
  });

  it("takes up a new key under an old id", async () => {
    const verifier = verifierFor([entryFor(issuer)], { limits: { keyCooldownMs: 0 } });
    await verifier.verify(await issuer.mint());
    await issuer.rotate(false, issuer.jwks().keys[0]!.kid);
    await verifier.verify(await issuer.mint());
  });

  it("refuses a token whose registered claims are of another kind than registered", async () => {
    const verifier = verifierFor([entryFor(issuer)]);
    for (const claims of [{ sub: 7 }, { nonce: {} }, { at_hash: [] }, { iat: null }, { nbf: true }]) {
      await expect(verifier.verify(await issuer.mint(claims))).rejects.toEqual(failure("ERR_TOKEN_CLAIM"));
    }
    await verifier.verify(await issuer.mint({ sub: null, nonce: null, nbf: null }));
  });

  it("fetches again for a key it does not know, but not for each of a flood of invented ones", async () => {
    const verifier = verifierFor([entryFor(issuer)], { limits: { keyCooldownMs: 60_000 } });
    await verifier.verify(await issuer.mint());
    for (let i = 0; i < 20; i += 1) {
      await expect(verifier.verify(await issuer.mint({}, { kid: `invented-${i}` }))).rejects.toEqual(
        failure("ERR_TOKEN_SIGNATURE"),
      );
    }
    expect(issuer.keyFetches).toBe(1);
    const eager = verifierFor([entryFor(issuer)], { limits: { keyCooldownMs: 0 } });
    await eager.verify(await issuer.mint());
    await issuer.rotate();
    await eager.verify(await issuer.mint());
    expect(issuer.keyFetches).toBe(3);
  });

  it("asks an issuer that is down once a second, however many tokens come", async () => {
    const verifier = verifierFor([entryFor(issuer)]);
    issuer.failing = true;
    for (let i = 0; i < 5; i += 1) {
      await expect(verifier.verify(await issuer.mint())).rejects.toEqual(
        failure("ERR_ISSUER_KEYS_UNAVAILABLE"),
      );
    }
    expect(issuer.requests).toBe(1);
  });

  it("keeps the keys it has while the issuer is down", async () => {
    const verifier = verifierFor([entryFor(issuer)], { limits: { keyCooldownMs: 0, cacheMs: 0 } });
    await verifier.verify(await issuer.mint());
    issuer.failing = true;
    await expect(verifier.verify(await issuer.mint({}, { kid: "unknown" }))).rejects.toEqual(
      failure("ERR_TOKEN_SIGNATURE"),
    );
    await verifier.verify(await issuer.mint());
  });

  it("refreshes keys in the background, so that a withdrawn key stops being good", async () => {
    const verifier = verifierFor([entryFor(issuer)], { limits: { keyRefreshMs: 20, cacheMs: 0 } });
    const withdrawn = await issuer.mint();
    await verifier.verify(withdrawn);
    await issuer.rotate(false);
    const fetched = issuer.keyFetches;
    while (issuer.keyFetches < fetched + 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(verifier.verify(withdrawn)).rejects.toEqual(failure("ERR_TOKEN_SIGNATURE"));
  });

  it("does not check again for a while what it has found good, and never past its end", async () => {
    let now = Date.now();
    const verifier = verifierFor([entryFor(issuer)], { now: () => now, limits: { cacheEntries: 1 } });
    const [first, second] = [await issuer.mint(), await issuer.mint({}, { lifetimeSeconds: 5 })];
    const verified = await verifier.verify(first);
    expect(await verifier.verify(first)).toBe(verified);
    now += 10_000;
    expect(await verifier.verify(first)).not.toBe(verified);
    now -= 10_000;
    const again = await verifier.verify(first);
    const { expiresAtMs } = await verifier.verify(second);
    expect(await verifier.verify(first)).not.toBe(again);
    await verifier.verify(second);
    now = expiresAtMs;
    await expect(verifier.verify(second)).rejects.toEqual(failure("ERR_TOKEN_EXPIRED"));
    const altered = `${first.slice(0, -2)}AA`;
    await expect(verifier.verify(altered)).rejects.toEqual(failure("ERR_TOKEN_SIGNATURE"));
  });

  it("refuses a discovery document that names another issuer", async () => {
    const entry = entryOf({
      url: "https://issuer.example.com",
      discoveryURL: `${issuer.url}/.well-known/openid-configuration`,
      audiences: [audience],
    });
    const token = await issuer.mint({}, { issuer: "https://issuer.example.com" });
    await expect(verifierFor([entry]).verify(token)).rejects.toThrow("names another issuer");
  });

  it("maps a token by the entry of its issuer, and applies that entry's rules", async () => {
    const other = await startIssuer();
    open.push(other);
    const claimMappings = { username: { claim: "sub", prefix: "ci:" } };
    const rule = { expression: "claims.team == 'a'", message: "team a alone" };
    const verifier = verifierFor([
      entryOf({ url: issuer.url, audiences: [audience] }, { claimMappings }),
      entryOf({ url: other.url, audiences: [audience] }, { claimValidationRules: [rule] }),
    ]);
    const token = await verifier.verify(await issuer.mint({}, { subject: "me" }));
    expect(token.identity).toEqual({ username: "ci:me", groups: [], extra: {} });
    expect((await verifier.verify(await other.mint({ team: "a" }))).identity).toBeUndefined();
    await expect(verifier.verify(await other.mint({ team: "b" }))).rejects.toThrow("team a alone");
  });

  it("trusts other issuers when told so, keeps the keys of those that stay, and remembers no token", async () => {
    const other = await startIssuer();
    open.push(other);
    const verifier = verifierFor([entryFor(issuer), entryFor(other)]);
    const [first, second] = [await issuer.mint(), await other.mint()];
    await verifier.verify(first);
    await verifier.verify(second);
    verifier.replace([entryFor(issuer, { audiences: ["elsewhere"] })]);
    await expect(verifier.verify(first)).rejects.toEqual(failure("ERR_TOKEN_AUDIENCE"));
    await expect(verifier.verify(second)).rejects.toEqual(failure("ERR_TOKEN_ISSUER_UNKNOWN"));
    verifier.replace([entryFor(issuer)]);
    await verifier.verify(first);
    expect(issuer.keyFetches).toBe(1);
    expect(() => verifier.replace([entryOf({ url: other.url })])).toThrow("no audience");
    await verifier.verify(first);
    verifier.replace([entryFor(issuer, { jwks: other.jwks() })]);
    await expect(verifier.verify(first)).rejects.toEqual(failure("ERR_TOKEN_SIGNATURE"));
  });

  it("looks at no token that is longer than it may be", async () => {
    const token = await issuer.mint();
    const limits = { maxTokenBytes: token.length };
    await verifierFor([entryFor(issuer)], { limits }).verify(token);
    const longer = await issuer.mint({ more: "a" });
    await expect(verifierFor([entryFor(issuer)], { limits }).verify(longer)).rejects.toEqual(
      failure("ERR_TOKEN_MALFORMED"),
    );
  });

  it("takes no more keys, and no longer a list of them, than it may", async () => {
    await issuer.rotate();
    const token = await issuer.mint();
    const bytes = JSON.stringify(issuer.jwks()).length;
    for (const limits of [{ maxKeys: 2 }, { keySetBytes: bytes }])
      await verifierFor([entryFor(issuer)], { limits }).verify(token);
    for (const limits of [{ maxKeys: 1 }, { keySetBytes: bytes - 1 }])
      await expect(verifierFor([entryFor(issuer)], { limits }).verify(token)).rejects.toEqual(
        failure("ERR_ISSUER_KEYS_UNAVAILABLE"),
      );
  });

  it("waits for an issuer no longer than it may", async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(mute, "listening");
    open.push({ close: () => (sockets.forEach((socket) => socket.destroy()), mute.close()) });
    const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const verifier = verifierFor([entryOf({ url, audiences: [audience] })], {
      limits: { keyFetchTimeoutMs: 50 },
    });
    await expect(verifier.verify(await issuer.mint({}, { issuer: url }))).rejects.toEqual(
      failure("ERR_ISSUER_KEYS_UNAVAILABLE"),
    );
  });
});
