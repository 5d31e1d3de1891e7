/** Tokens as the table describes them, good and bad: signed by hand, so that nothing keeps us from making bad ones. */
import { constants, createHmac, createPrivateKey, sign } from "node:crypto";
import { pkcs8Of, type KeyName, type Keys } from "./keys";

/** Seconds from now, where a claim is a time. */
export class FromNow {
  constructor(readonly seconds: number) {}
}
export const fromNow = (seconds: number) => new FromNow(seconds);

export interface TokenDescription {
  /** Beside `iss`, `aud`, `sub`, `iat`, `exp`, which are good ones; undefined takes a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The whole payload as text, with ISSUER and EXP in it, where an object could not have it. */
  readonly payload?: string;
  /** Default: `{ alg: "RS256", kid: "rsa" }`. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Who signs; default: the published RSA key. */
  readonly key?: KeyName | "none" | "published key as secret";
  /** What the signature is made with, where the header says something else. */
  readonly signedAs?: string;
  /** Changes the finished token. */
  readonly change?: (token: string) => string;
}

const part = (value: string | object) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

export async function mint(description: TokenDescription, issuer: string, keys: Keys): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const header = description.header ?? { alg: "RS256", kid: "rsa" };
  const input = `${part(header)}.${part(payloadOf(description, issuer, now))}`;
  const alg = description.signedAs ?? String(header["alg"]);
  const token = `${input}.${(await signature(input, alg, description.key ?? "rsa", keys)).toString("base64url")}`;
  return description.change?.(token) ?? token;
}

function payloadOf({ claims = {}, payload }: TokenDescription, issuer: string, now: number): string {
  if (payload !== undefined) return payload.replace("ISSUER", issuer).replaceAll("EXP", String(now + 300));
  const all: Record<string, unknown> = {
    iss: issuer,
    aud: "plant-7",
    sub: "me",
    iat: now,
    exp: now + 300,
    ...claims,
  };
  return JSON.stringify(all, (_, value: unknown) => (value instanceof FromNow ? now + value.seconds : value));
}

async function signature(
  input: string,
  alg: string,
  key: NonNullable<TokenDescription["key"]>,
  keys: Keys,
): Promise<Buffer> {
  if (key === "none") return Buffer.alloc(0);
  if (key === "published key as secret") {
    return createHmac("sha256", keys.publishedText).update(input).digest();
  }
  const privateKey = createPrivateKey(await pkcs8Of(keys.private.get(key)!));
  if (alg === "EdDSA") return sign(null, Buffer.from(input), privateKey);
  const hash = `sha${alg.slice(2)}`;
  const padding = alg.startsWith("PS")
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363", ...padding });
}
