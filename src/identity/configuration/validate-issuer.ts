import { X509Certificate } from "node:crypto";
import { withoutTrailingSlashes } from "../../runtime/trailing-slashes";
import { reportDuplicates, type Problems } from "./problem";
import type { IssuerSettings } from "./schema";

type Issuer = IssuerSettings["issuer"];

export interface IssuerRules {
  /** False where there is a default for entries that name no audience of their own. */
  readonly audiencesRequired: boolean;
}

export function validateIssuer(issuer: Issuer, rules: IssuerRules, at: Problems): void {
  if (issuer.url === "") at.at("url").required();
  else validateUrl(issuer.url, at.at("url"));
  validateDiscoveryUrl(issuer, at.at("discoveryURL"));
  validateAudiences(issuer, rules, at);
  validateCertificateAuthority(issuer.certificateAuthority, at.at("certificateAuthority"));
  if (issuer.egressSelectorType !== "") {
    at.at("egressSelectorType").invalid("it chooses a network of the kube-apiserver's; there is none here");
  }
  validateKeys(issuer, at);
}

function validateDiscoveryUrl({ url, discoveryURL }: Issuer, at: Problems): void {
  if (discoveryURL === "") return;
  const isSame = withoutTrailingSlashes(url) === withoutTrailingSlashes(discoveryURL);
  if (url !== "" && isSame) at.invalid("discoveryURL must be different from URL");
  validateUrl(discoveryURL, at);
}

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Plain HTTP is let through on loopback alone, where nobody stands in between to swap the keys. */
function validateUrl(text: string, at: Problems): void {
  if (!URL.canParse(text)) return at.invalid("it is not a URL");
  const url = new URL(text);
  const isLoopback = url.protocol === "http:" && loopbackHosts.has(url.hostname);
  if (url.protocol !== "https:" && !isLoopback) at.invalid("URL scheme must be https (http on loopback)");
  if (/^[^/?#]*\/\/[^/?#]*@/.test(text)) at.invalid("URL must not contain a username or password");
  if (url.search !== "") at.invalid("URL must not contain a query");
  if (url.hash !== "") at.invalid("URL must not contain a fragment");
}

function validateAudiences(issuer: Issuer, rules: IssuerRules, at: Problems): void {
  const { audiences, audienceMatchPolicy } = issuer;
  if (audiences.length === 0) {
    if (rules.audiencesRequired) at.at("audiences").required("at least one is required");
    return;
  }
  for (const [index, audience] of audiences.entries()) {
    if (audience === "") at.at("audiences", index).required();
  }
  reportDuplicates(audiences, (index) => at.at("audiences", index));
  const isMatchAny = audienceMatchPolicy === "MatchAny";
  if (isMatchAny || (audiences.length === 1 && audienceMatchPolicy === "")) return;
  at.at("audienceMatchPolicy").invalid(
    audiences.length > 1
      ? "audienceMatchPolicy must be MatchAny for multiple audiences"
      : "audienceMatchPolicy must be empty or MatchAny for single audience",
  );
}

function validateCertificateAuthority(pem: string, at: Problems): void {
  if (pem === "") return;
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return at.invalid("data does not contain any valid certificate");
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    at.invalid("a certificate cannot be read");
  }
}

function validateKeys({ discoveryURL, jwks, jwksFile }: Issuer, at: Problems): void {
  const sources = {
    discoveryURL: discoveryURL !== "",
    jwks: jwks !== undefined,
    jwksFile: jwksFile !== undefined,
  };
  const named = Object.entries(sources).filter(([, isGiven]) => isGiven);
  if (named.length > 1)
    at.at(named[1]?.[0] ?? "").invalid("discoveryURL, jwks and jwksFile exclude one another");
  const usable = jwks?.keys.filter(({ kty }) => kty === "RSA" || kty === "EC");
  if (usable?.length === 0) at.at("jwks", "keys").required("an RSA or EC key");
}
