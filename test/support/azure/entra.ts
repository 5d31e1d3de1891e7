/**
 * Microsoft Entra's token endpoint for the client-credentials grant, with the errors that it gives. Held to what is
 * known: one form, its fields, and nothing else.
 */
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import {
  compactVerify,
  createLocalJWKSet,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JSONWebKeySet,
  type JWTPayload,
} from "jose";
import type { TestCertificate } from "../certificate";
import { applicationId as clientId, tenantId } from "../fake-agent/identity-endpoints";
import { Service, type ServiceAnswer, type ServiceRequest } from "./service";

/** Of the application that jobs of either CI system are. */
export { clientId, tenantId };
export const objectId = "99999999-8888-7777-6666-555555555555";
/** The server application of Azure Arc's cluster connect. */
export const arcServerAppId = "6256c85f-0aad-4d50-b960-e6e9b21efe35";

export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** The issuer's keys at the moment. */
  readonly keys: () => JSONWebKeySet;
}

export interface EntraOptions {
  readonly certificate?: TestCertificate;
  readonly federated?: FederatedCredential;
  readonly secret?: string;
  /** PEM of the application's certificate. */
  readonly applicationCertificate?: string;
  readonly lifetimeSeconds?: number;
  /** Of tokens for the resources that it knows, beside the Arc server application. */
  readonly resources?: readonly string[];
}

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

class Refusal extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly error = "invalid_client",
    readonly status = 401,
  ) {
    super(`AADSTS${code}: ${message}`);
  }
}

export class Entra {
  /** When set, every token request is refused with this AADSTS code. */
  refusal: number | undefined;
  lifetimeSeconds: number;
  /** Further claims of the tokens for clusters. */
  claims: Readonly<Record<string, unknown>> = {};
  service!: Service;
  /** Scopes that tokens were issued for, in order. */
  readonly issued: string[] = [];
  readonly #seenAssertions = new Set<string>();
  #key!: { privateKey: CryptoKey; publicKey: CryptoKey };

  private constructor(readonly options: EntraOptions) {
    this.lifetimeSeconds = options.lifetimeSeconds ?? 3_600;
  }

  static async start(options: EntraOptions = {}): Promise<Entra> {
    const entra = new Entra(options);
    entra.#key = await generateKeyPair("RS256", { extractable: true });
    entra.service = await Service.start("Entra", options.certificate, (request) => entra.#answer(request));
    return entra;
  }

  get url(): string {
    return this.service.url;
  }

  /** The `iss` of its tokens. */
  get issuer(): string {
    return `${this.url}/${tenantId}/v2.0`;
  }

  async jwks(): Promise<{ keys: object[] }> {
    return { keys: [{ ...(await exportJWK(this.#key.publicKey)), kid: "entra", use: "sig", alg: "RS256" }] };
  }

  /** The claims of a token of its own that is valid now, for `audience`. */
  async verify(token: string, audience: string): Promise<JWTPayload> {
    const { payload } = await compactVerify(token, this.#key.publicKey);
    const claims = JSON.parse(new TextDecoder().decode(payload)) as JWTPayload;
    if (claims.aud !== audience) throw new Error(`audience ${String(claims.aud)}, not ${audience}`);
    if (claims.exp === undefined || claims.exp * 1_000 <= Date.now()) throw new Error("expired");
    return claims;
  }

  close = (): Promise<void> => this.service.close();

  async #answer(request: ServiceRequest): Promise<ServiceAnswer> {
    const path = request.url.pathname;
    if (request.method === "GET" && path === `/${tenantId}/v2.0/.well-known/openid-configuration`) {
      return { status: 200, body: { issuer: this.issuer, jwks_uri: `${this.url}/${tenantId}/keys` } };
    }
    if (request.method === "GET" && path === `/${tenantId}/keys`) {
      return { status: 200, body: await this.jwks() };
    }
    const [, tenant = ""] = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(path) ?? [];
    if (request.method !== "POST" || tenant === "" || request.url.search !== "") {
      return this.service.violation(`${request.method} ${request.url.pathname}${request.url.search}`);
    }
    try {
      return await this.#issue(request, tenant);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { message, code } = error;
      const body = { error: error.error, error_description: message, error_codes: [code], trace_id: "t" };
      return { status: error.status, body };
    }
  }

  async #issue(request: ServiceRequest, tenant: string): Promise<ServiceAnswer> {
    if (request.headers["content-type"] !== "application/x-www-form-urlencoded") {
      return this.service.violation(`content type ${String(request.headers["content-type"])}`);
    }
    const form = new URLSearchParams(request.body);
    const names = [...form.keys()];
    if (new Set(names).size !== names.length) return this.service.violation("a field twice");
    const field = (name: string) => {
      const value = form.get(name) ?? "";
      form.delete(name);
      return value;
    };
    if (tenant !== tenantId)
      throw new Refusal(90_002, `Tenant '${tenant}' not found.`, "invalid_request", 400);
    if (field("grant_type") !== "client_credentials") return this.service.violation("grant_type");
    if (field("client_id") !== clientId) {
      throw new Refusal(700_016, "Application was not found in the directory.", "unauthorized_client", 400);
    }
    if (this.refusal !== undefined) throw new Refusal(this.refusal, "refused by the test");
    const scope = field("scope");
    const wrong = await this.#authenticate(field);
    if (wrong !== undefined) return wrong;
    const proof = this.#proofOfPossession(scope, field);
    if (typeof proof === "object" && "status" in proof) return proof;
    if (form.size > 0) return this.service.violation(`fields ${[...form.keys()].join()}`);
    this.issued.push(scope);
    return this.#token(scope, proof);
  }

  async #authenticate(field: (name: string) => string): Promise<ServiceAnswer | undefined> {
    const [secret, type, assertion] = ["client_secret", "client_assertion_type", "client_assertion"].map(
      field,
    );
    if (secret !== "") {
      if (type !== "" || assertion !== "") return this.service.violation("two credentials");
      if (secret === this.options.secret) return undefined;
      throw new Refusal(7_000_215, "Invalid client secret provided.");
    }
    if (type !== jwtBearer || assertion === undefined) return this.service.violation("client_assertion_type");
    if (this.#seenAssertions.has(assertion))
      return this.service.violation("an assertion for the second time");
    this.#seenAssertions.add(assertion);
    if ("x5t#S256" in decodeProtectedHeader(assertion)) await this.#checkOwnAssertion(assertion);
    else await this.#checkFederated(assertion);
    return undefined;
  }

  async #checkFederated(assertion: string): Promise<void> {
    const known = this.options.federated;
    const claims = JSON.parse(
      Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString(),
    ) as JWTPayload;
    if (claims.iss !== known?.issuer)
      throw new Refusal(
        700_211,
        `No matching federated identity record found for presented assertion issuer '${claims.iss}'.`,
      );
    if (claims.sub !== known?.subject)
      throw new Refusal(
        700_213,
        `No matching federated identity record found for presented assertion subject '${claims.sub}'.`,
      );
    if (claims.aud !== known?.audience)
      throw new Refusal(
        700_212,
        `No matching federated identity record found for presented assertion audience '${String(claims.aud)}'.`,
      );
    try {
      await compactVerify(assertion, createLocalJWKSet(this.options.federated?.keys() ?? { keys: [] }));
    } catch {
      throw new Refusal(700_027, "Client assertion failed signature validation.");
    }
    // By the clock itself, not by whole seconds: tests compress minutes into less than one.
    if ((claims.exp ?? 0) * 1_000 <= Date.now()) {
      throw new Refusal(700_024, "Client assertion is not within its valid time range.");
    }
  }

  /** RFC 7523 by a certificate of the application's own. */
  async #checkOwnAssertion(assertion: string): Promise<void> {
    const pem = this.options.applicationCertificate ?? "";
    const thumbprint = createHash("sha256").update(new X509Certificate(pem).raw).digest("base64url");
    const { protectedHeader, payload } = await compactVerify(assertion, createPublicKey(pem)).catch(() => {
      throw new Refusal(700_027, "Client assertion failed signature validation.");
    });
    const { iss, sub, aud, exp, jti } = JSON.parse(new TextDecoder().decode(payload)) as JWTPayload;
    const isRight =
      protectedHeader["x5t#S256"] === thumbprint &&
      iss === clientId &&
      sub === clientId &&
      aud === `${this.url}/${tenantId}/oauth2/v2.0/token` &&
      jti !== undefined;
    if (!isRight) throw new Refusal(700_027, "Client assertion is not as it must be.");
    if ((exp ?? 0) * 1_000 <= Date.now())
      throw new Refusal(700_024, "Client assertion is not within its valid time range.");
  }

  /** The key's id for a token that is bound to it; undefined for a plain one. */
  #proofOfPossession(scope: string, field: (name: string) => string): string | undefined | ServiceAnswer {
    const [type, confirmation] = [field("token_type"), field("req_cnf")];
    const audience = scope.replace(/\/\.default$/, "");
    if (audience === scope) return this.service.violation(`scope ${scope}`);
    if (audience !== arcServerAppId) {
      if (!(this.options.resources ?? ["https://management.azure.com"]).includes(audience)) {
        throw new Refusal(
          500_011,
          `The resource principal named ${audience} was not found in the tenant.`,
          "invalid_resource",
          400,
        );
      }
      return type === "" && confirmation === "" ? undefined : this.service.violation("req_cnf for ARM");
    }
    if (type !== "pop") return this.service.violation("no token_type=pop for the Arc server application");
    // What happens to a confirmation that is not encoded as it must be.
    if (!/^[\w-]+$/.test(confirmation)) return { status: 500, body: { error: "server_error" } };
    const { kid, xms_ksl, ...more } = JSON.parse(Buffer.from(confirmation, "base64url").toString()) as Record<
      string,
      string
    >;
    if (kid === undefined || xms_ksl !== "sw" || Object.keys(more).length > 0) {
      return this.service.violation(`req_cnf ${confirmation}`);
    }
    return kid;
  }

  async #token(scope: string, kid: string | undefined): Promise<ServiceAnswer> {
    // Whole seconds, as the real one has them, but where a test compresses an hour into less than some of them.
    const isWhole = Number.isInteger(this.lifetimeSeconds);
    const now = isWhole ? Math.floor(Date.now() / 1_000) : Date.now() / 1_000;
    const claims = {
      appid: clientId,
      oid: objectId,
      tid: tenantId,
      ...(kid === undefined ? {} : { cnf: { kid }, ...this.claims }),
    };
    const token = await new SignJWT({ ...claims, iat: now, nbf: now, exp: now + this.lifetimeSeconds })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: "entra" })
      .setIssuer(this.issuer)
      .setSubject(objectId)
      .setAudience(scope.replace(/\/\.default$/, ""))
      .sign(this.#key.privateKey);
    // What is left, rounded down.
    const left = isWhole ? this.lifetimeSeconds - 1 : this.lifetimeSeconds;
    const life = { expires_in: left, ext_expires_in: left };
    const type = kid === undefined ? "Bearer" : "pop";
    return { status: 200, body: { token_type: type, ...life, access_token: token } };
  }
}

export const isGuid = (text: unknown): boolean => typeof text === "string" && guid.test(text);
