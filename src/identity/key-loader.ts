import { readFile } from "node:fs/promises";
import type { JWK } from "jose";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest } from "../runtime/http-request";
import type { IssuerSettings } from "./configuration/schema";
import type { TokenLimits } from "./token-limits";

/** Reads an issuer's keys once, from wherever they are. Throws ERR_ISSUER_KEYS_UNAVAILABLE. */
export type KeyLoader = () => Promise<readonly JWK[]>;

export function createKeyLoader(settings: IssuerSettings["issuer"], limits: TokenLimits): KeyLoader {
  const read = async () => {
    if (settings.jwks !== undefined) return settings.jwks;
    if (settings.jwksFile !== undefined)
      return JSON.parse(await readFile(settings.jwksFile, "utf8")) as unknown;
    return fetchPublishedKeys(settings, limits);
  };
  return async () => {
    try {
      return publicKeysOf(await read(), limits.maxKeys);
    } catch (error) {
      throw new ClusterConnectError("ERR_ISSUER_KEYS_UNAVAILABLE", `${settings.url}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
}

/** OpenID Connect Discovery 1.0 §4: the document names the keys, and must name the issuer itself. */
async function fetchPublishedKeys(settings: IssuerSettings["issuer"], limits: TokenLimits): Promise<unknown> {
  const wellKnown = `${settings.url.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const discoveryUrl = settings.discoveryURL === "" ? wellKnown : settings.discoveryURL;
  const discovery = (await fetchJson(discoveryUrl, settings, limits)) as {
    issuer?: unknown;
    jwks_uri?: unknown;
  } | null;
  if (discovery?.issuer !== settings.url) {
    throw new Error(`its discovery document names another issuer: ${JSON.stringify(discovery?.issuer)}`);
  }
  const keysUrl = discovery.jwks_uri;
  if (typeof keysUrl !== "string" || !URL.canParse(keysUrl)) throw new Error("it publishes no jwks_uri");
  if (new URL(keysUrl).protocol === "http:" && !settings.url.startsWith("http:")) {
    throw new Error("its jwks_uri is plain http");
  }
  return fetchJson(keysUrl, settings, limits);
}

async function fetchJson(
  url: string,
  settings: IssuerSettings["issuer"],
  limits: TokenLimits,
): Promise<unknown> {
  const response = await sendHttpRequest({
    url: new URL(url),
    headers: { Accept: "application/json" },
    caPem: settings.certificateAuthority === "" ? undefined : settings.certificateAuthority,
    timeoutMs: limits.keyFetchTimeoutMs,
    maxBytes: limits.keySetBytes,
  });
  if (response.status !== 200) throw new Error(`${url} answered ${String(response.status)}`);
  return JSON.parse(response.body) as unknown;
}

/** The asymmetric keys of a JWK Set (RFC 7517 §5); others are passed over, as the RFC asks. */
function publicKeysOf(document: unknown, maxKeys: number): readonly JWK[] {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new Error("it is not a JWK Set");
  if (keys.length > maxKeys) throw new Error(`it holds more than ${String(maxKeys)} keys`);
  const usable = (keys as (JWK | null)[]).filter(
    (key): key is JWK => key?.kty === "RSA" || key?.kty === "EC",
  );
  if (usable.length === 0) throw new Error("it holds no RSA or EC key");
  return usable.map(({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, oth: _oth, ...key }) => key);
}
