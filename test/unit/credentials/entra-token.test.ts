import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { decodeJwt } from "jose";
import type { EntraCredential } from "../../../src/credentials/entra-credential";
import { createEntraTokenSource, requestEntraToken } from "../../../src/credentials/entra-token";
import { receivedToken } from "../../../src/credentials/token";
import type { ClusterConnectError } from "../../../src/runtime/errors";
import { retryAfterOf } from "../../../src/runtime/retry-after";
import { createApplicationCertificate } from "../../support/azure/application-certificate";
import { arcServerAppId, clientId, Entra, objectId, tenantId } from "../../support/azure/entra";
import { startIssuer, type TestIssuer } from "../../support/issuer";

const audience = "api://AzureADTokenExchange";
const arm = "https://management.azure.com/.default";
const subject = "repo:octo/app:environment:production";

describe("a token from Microsoft Entra", () => {
  let issuer: TestIssuer;
  let entra: Entra;
  let applicationPem: string;
  const federated = (mint: Parameters<TestIssuer["mint"]> = [{}, {}]): EntraCredential => ({
    kind: "assertion",
    source: {
      description: "test issuer",
      fetch: async () => receivedToken(await issuer.mint(mint[0], { audience, subject, ...mint[1] })),
    },
  });
  const request = (
    credential: EntraCredential,
    more: { scope?: string; keyId?: string; tenant?: string; client?: string } = {},
  ) =>
    requestEntraToken({
      client: {
        authority: new URL(entra.url),
        tenantId: more.tenant ?? tenantId,
        clientId: more.client ?? clientId,
        credential,
      },
      scope: more.scope ?? arm,
      ...(more.keyId === undefined ? {} : { keyId: more.keyId }),
    });
  const failure = (...args: Parameters<typeof request>) =>
    request(...args).then(
      () => {
        throw new Error("a token was issued");
      },
      (error: ClusterConnectError) => error,
    );

  beforeAll(async () => {
    issuer = await startIssuer();
    applicationPem = await createApplicationCertificate();
    entra = await Entra.start({
      federated: { issuer: issuer.url, subject, audience, keys: issuer.jwks },
      secret: "s3cret",
      applicationCertificate: applicationPem,
    });
  });
  afterEach(() => {
    entra.refusal = undefined;
    entra.service.outage = undefined;
    expect(entra.service.violations).toEqual([]);
  });
  afterAll(async () => {
    await entra.close();
    await issuer.close();
  });

  it("is issued for a federated assertion, a secret or a certificate, and lives as long as Entra says", async () => {
    for (const credential of [
      federated(),
      { kind: "secret", secret: "s3cret" } as const,
      { kind: "certificate", pem: applicationPem } as const,
    ]) {
      const token = await request(credential);
      expect(decodeJwt(token.value)).toMatchObject({ oid: objectId, aud: "https://management.azure.com" });
      expect(token.lifetimeMs).toBe(3_599_000);
    }
  });

  it("is bound to the key that is named", async () => {
    const token = await request(federated(), { scope: `${arcServerAppId}/.default`, keyId: "thumb-print_1" });
    expect(decodeJwt(token.value)).toMatchObject({ aud: arcServerAppId, cnf: { kid: "thumb-print_1" } });
  });

  it("lives from when it was asked for, however long the answer was under way", async () => {
    entra.service.delayMs = 400;
    const askedAtMs = Date.now();
    const { receivedAtMs } = await request({ kind: "secret", secret: "s3cret" });
    expect(receivedAtMs).toBeLessThan(askedAtMs + 400);
    entra.service.delayMs = 0;
  });

  it("is asked for with a fresh assertion each time", async () => {
    const source = createEntraTokenSource(
      { authority: new URL(entra.url), tenantId, clientId, credential: federated() },
      arm,
    );
    const before = entra.issued.length;
    await source.fetch();
    await source.fetch();
    // The stand-in takes no assertion twice.
    expect(entra.issued.slice(before)).toEqual([arm, arm]);
    expect(source.description).toBe(`Microsoft Entra for ${arm}`);
  });

  it("is refused with the issuer, subject and audience to register when no federated credential fits", async () => {
    for (const mint of [
      { subject: "repo:evil/app" },
      { issuer: "https://evil" },
      { audience: "api://other" },
    ]) {
      const error = await failure(federated([{}, mint]));
      expect(error.code).toBe("ERR_ENTRA_FEDERATION");
      expect(error.detail).toContain(
        `issuer ${JSON.stringify(mint.issuer ?? issuer.url)}, subject ${JSON.stringify(mint.subject ?? subject)}, audience ${JSON.stringify(mint.audience ?? audience)}`,
      );
    }
  });

  it.each([
    [
      "an expired assertion",
      () => failure(federated([{}, { lifetimeSeconds: -1 }])),
      "ERR_ENTRA_ASSERTION_EXPIRED",
    ],
    ["an unknown application", () => failure(federated(), { client: objectId }), "ERR_ENTRA_CLIENT_UNKNOWN"],
    ["an unknown tenant", () => failure(federated(), { tenant: objectId }), "ERR_ENTRA_CLIENT_UNKNOWN"],
    ["a wrong secret", () => failure({ kind: "secret", secret: "no" }), "ERR_ENTRA_SECRET_REFUSED"],
    [
      "an unknown resource",
      () => failure(federated(), { scope: "api://no/.default" }),
      "ERR_ENTRA_RESOURCE_UNKNOWN",
    ],
    ["a PEM without a key", () => failure({ kind: "certificate", pem: "no" }), "ERR_ENTRA_CERTIFICATE"],
    [
      "a key of another certificate",
      () => {
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
        const key = createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }));
        const certificate = /-----BEGIN CERTIFICATE[\s\S]+?END CERTIFICATE-----/.exec(applicationPem)![0];
        return failure({
          kind: "certificate",
          pem: `${certificate}\n${key.export({ type: "pkcs8", format: "pem" }).toString()}`,
        });
      },
      "ERR_ENTRA_SECRET_REFUSED",
    ],
  ])("is refused for %s, each with a code of its own", async (_, fail, code) => {
    expect((await fail()).code).toBe(code);
  });

  it.each([
    [53_003, "ERR_ENTRA_CONDITIONAL_ACCESS"],
    [50_034, "ERR_ENTRA_REFUSED"],
  ])("is refused by AADSTS%i with the number in the message", async (aadsts, code) => {
    entra.refusal = aadsts;
    expect(await failure(federated())).toMatchObject({
      code,
      detail: expect.stringContaining(`AADSTS${String(aadsts)}`) as string,
    });
  });

  it("is to be asked for again when Entra is down or throttles, as late as it asks for", async () => {
    entra.service.outage = "hangs-up";
    expect((await failure(federated())).code).toBe("ERR_ENTRA_UNREACHABLE");
    entra.service.outage = { status: 429, headers: { "Retry-After": "7" } };
    const throttled = await failure(federated());
    expect(throttled.code).toBe("ERR_ENTRA_UNREACHABLE");
    expect(retryAfterOf(throttled)).toBe(7_000);
    entra.service.outage = { status: 503, body: "<html>" };
    expect(retryAfterOf(await failure(federated()))).toBe(0);
  });

  it("says nothing of secret, assertion or key when it is refused", async () => {
    entra.refusal = 50_034;
    for (const credential of [federated(), { kind: "secret", secret: "s3cret" } as const]) {
      const error = await failure(credential);
      expect(error.explain()).not.toMatch(/s3cret|eyJ/);
    }
  });
});
