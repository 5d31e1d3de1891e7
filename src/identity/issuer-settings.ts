/**
 * One trusted issuer, written as an entry of `jwt[]` in Kubernetes' AuthenticationConfiguration v1, plus
 * `issuer.jwks` and `issuer.jwksFile` for issuers that cannot be reached from here.
 */
import { z } from "zod";

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Plain HTTP is let through on loopback alone, where nobody stands in between to swap the keys. */
function isTrustworthyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const bare = url.username === "" && url.password === "" && !/[?#]/.test(text);
  return bare && (url.protocol === "https:" || (url.protocol === "http:" && loopbackHosts.has(url.hostname)));
}

const issuerUrl = z
  .string()
  .refine(isTrustworthyUrl, "must be an https URL without user, query or fragment (http on loopback only)");

const jsonWebKeySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

const prefixedClaim = z.strictObject({
  claim: z.string().min(1),
  /** Required, as in Kubernetes: an unprefixed claim has to be asked for by writing "". */
  prefix: z.string(),
});

const issuer = z
  .strictObject({
    /** Equals the token's `iss`, byte for byte. */
    url: issuerUrl,
    discoveryURL: issuerUrl.optional(),
    /** PEM of the CAs that the issuer's certificate is checked against, instead of the system's. */
    certificateAuthority: z.string().min(1).optional(),
    audiences: z.array(z.string().min(1)).default([]),
    audienceMatchPolicy: z.enum(["", "MatchAny"]).optional(),
    jwks: jsonWebKeySet.optional(),
    jwksFile: z.string().min(1).optional(),
  })
  .refine(
    ({ audiences, audienceMatchPolicy }) => audiences.length <= 1 || audienceMatchPolicy === "MatchAny",
    "audienceMatchPolicy must be MatchAny when there is more than one audience",
  )
  .refine(({ audiences }) => new Set(audiences).size === audiences.length, "audiences must not repeat")
  .refine(({ url, discoveryURL }) => url !== discoveryURL, "discoveryURL must differ from url")
  .refine(
    ({ discoveryURL, jwks, jwksFile }) =>
      [discoveryURL, jwks, jwksFile].filter((source) => source !== undefined).length <= 1,
    "discoveryURL, jwks and jwksFile exclude one another",
  );

export const claimMappings = z.strictObject({
  username: prefixedClaim,
  groups: prefixedClaim.optional(),
  uid: z.strictObject({ claim: z.string().min(1) }).optional(),
});
export type ClaimMappings = z.output<typeof claimMappings>;

/** `claimMappings` may be absent where only authentication and claims matter, as in the relay. */
export const issuerSchema = z.strictObject({ issuer, claimMappings: claimMappings.optional() });
export type IssuerSettings = z.output<typeof issuerSchema>;

/** An entry whose tokens become Kubernetes identities: mapping and audiences are required. */
export const mappedIssuerSchema = issuerSchema
  .required({ claimMappings: true })
  .refine((entry) => entry.issuer.audiences.length > 0, {
    path: ["issuer", "audiences"],
    message: "at least one audience is required",
  });

/** Refuses two entries for one issuer: which of them decides must never depend on their order. */
export const haveDistinctUrls = (entries: readonly IssuerSettings[]) =>
  new Set(entries.map((entry) => entry.issuer.url)).size === entries.length;
