/**
 * The shape of Kubernetes' AuthenticationConfiguration v1, plus `issuer.jwks` and `issuer.jwksFile` for issuers that
 * cannot be reached from here. What is left out is the empty value, as at the kube-apiserver; what the parts mean
 * together is checked by `validate.ts`.
 */
import { z } from "zod";

const text = z.string().default("");

const issuer = z.strictObject({
  /** Equals the token's `iss`, byte for byte. */
  url: text,
  /** Where the discovery document is, when not under `url`. */
  discoveryURL: text,
  /** PEM of the CAs that the issuer's certificate is checked against, instead of the system's. */
  certificateAuthority: text,
  audiences: z.array(z.string()).default([]),
  audienceMatchPolicy: text,
  /** Of the kube-apiserver's own network; known, so that it is refused with a reason. */
  egressSelectorType: text,
  /** The issuer's keys (RFC 7517), written out or in a file that is read again when it changes. */
  jwks: z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) }).optional(),
  jwksFile: z.string().min(1).optional(),
});

const claimValidationRule = z.strictObject({
  claim: text,
  requiredValue: text,
  expression: text,
  message: text,
});

const prefixedClaimOrExpression = z.strictObject({
  claim: text,
  /** Required beside `claim`, and may be empty: an unprefixed claim has to be asked for. */
  prefix: z.string().optional(),
  expression: text,
});

const claimMappings = z.strictObject({
  username: prefixedClaimOrExpression.prefault({}),
  groups: prefixedClaimOrExpression.prefault({}),
  uid: z.strictObject({ claim: text, expression: text }).prefault({}),
  extra: z.array(z.strictObject({ key: text, valueExpression: text })).default([]),
});
export type ClaimMappings = z.output<typeof claimMappings>;

const entryShape = {
  issuer: issuer.prefault({}),
  claimValidationRules: z.array(claimValidationRule).default([]),
  userValidationRules: z.array(z.strictObject({ expression: text, message: text })).default([]),
};

/** An entry of `jwt[]`. Where only authentication counts, as at the relay, it may do without `claimMappings`. */
export const entry = z.strictObject({ ...entryShape, claimMappings: claimMappings.optional() });
export type IssuerSettings = z.output<typeof entry>;

export const mappedEntry = z.strictObject({ ...entryShape, claimMappings: claimMappings.prefault({}) });
export type MappedIssuerSettings = z.output<typeof mappedEntry>;

export const configuration = z.strictObject({
  apiVersion: z.literal("apiserver.config.k8s.io/v1").optional(),
  kind: z.literal("AuthenticationConfiguration").optional(),
  jwt: z.array(mappedEntry).default([]),
  anonymous: z
    .strictObject({
      enabled: z.boolean().default(false),
      /** Paths, exactly as requested; none: every path. */
      conditions: z.array(z.strictObject({ path: text })).default([]),
    })
    .optional(),
});
