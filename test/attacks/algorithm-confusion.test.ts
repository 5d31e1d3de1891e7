/** A public key taken for a shared secret (RFC 8725 §2.1), and keys that the token itself brings along. */
import { createPublicKey, type JsonWebKey } from "node:crypto";
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeAttack } from "./fixture/describe-attack";
import { attackerJwk, attackerKey, signedWithKey, signedWithSecret } from "./fixture/forged-token";
import { forged } from "./fixture/token-rows";

const publicKey = ({ issuer }: AttackedAuthProxy) => {
  const [jwk] = issuer.jwks().keys;
  return createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
};
const pem = (proxy: AttackedAuthProxy) => publicKey(proxy).export({ type: "spki", format: "pem" }).toString();

describeAttack("algorithm confusion", [
  ...[256, 384, 512].map((bits) =>
    forged(`HS${bits} with the public key, as PEM, for a secret`, ({ header, claims }, proxy) =>
      signedWithSecret({ header: { ...header, alg: `HS${bits}` }, claims }, pem(proxy), bits),
    ),
  ),
  forged("HS256 with the public key as JSON", ({ header, claims }, { issuer }) =>
    signedWithSecret({ header: { ...header, alg: "HS256" }, claims }, JSON.stringify(issuer.jwks().keys[0])),
  ),
  forged("HS256 with the public key as DER", ({ header, claims }, proxy) => {
    const der = publicKey(proxy).export({ type: "spki", format: "der" });
    return signedWithSecret({ header: { ...header, alg: "HS256" }, claims }, der);
  }),
  forged("HS256 with no secret", ({ header, claims }) =>
    signedWithSecret({ header: { ...header, alg: "HS256" }, claims }, ""),
  ),
  forged("an HMAC that says ES256", (parts, proxy) => signedWithSecret(parts, pem(proxy))),
  ...["ES384", "RS256", "PS256", "EdDSA", "ES256K", "es256"].map((alg) =>
    forged(`${alg}, of which the key is none`, ({ header, claims }) =>
      signedWithKey({ header: { ...header, alg }, claims }),
    ),
  ),
  forged("the attacker's key, under the issuer's key id", (parts) => signedWithKey(parts)),
  forged("the attacker's key, no key id", ({ header: { alg }, claims }) =>
    signedWithKey({ header: { alg }, claims }),
  ),
  forged("a key id of the attacker's", ({ header, claims }) =>
    signedWithKey({ header: { ...header, kid: "../../../../dev/null" }, claims }),
  ),
  forged("a key id that is a list", ({ header, claims }) =>
    signedWithKey({ header: { ...header, kid: [header["kid"]] }, claims }),
  ),
  forged("a key in the header", ({ header, claims }) =>
    signedWithKey({ header: { ...header, jwk: attackerJwk }, claims }),
  ),
  forged("an address of keys in the header", ({ header, claims }, { issuer }) =>
    signedWithKey({
      header: { ...header, jku: `${issuer.url}/attacker`, x5u: `${issuer.url}/attacker` },
      claims,
    }),
  ),
  forged("a certificate in the header", ({ header, claims }) => {
    const x5c = [attackerKey.publicKey.export({ type: "spki", format: "der" }).toString("base64")];
    return signedWithKey({ header: { ...header, x5c }, claims });
  }),
  forged("an extension that must be understood", ({ header, claims }) =>
    signedWithKey({ header: { ...header, crit: ["exp"] }, claims }),
  ),
  forged("claims that are not encoded (RFC 7797)", ({ header, claims }) =>
    signedWithKey({ header: { ...header, b64: false, crit: ["b64"] }, claims }),
  ),
  forged("another issuer's name on it", ({ header, claims }) =>
    signedWithKey({ header, claims: { ...claims, iss: "https://issuer.example" } }),
  ),
  forged("the issuer's name with a slash behind it", (_, { issuer }) =>
    issuer.mint({ iss: `${issuer.url}/` }),
  ),
  forged("no issuer", ({ header, claims }) =>
    signedWithKey({ header, claims: { ...claims, iss: undefined } }),
  ),
]);
