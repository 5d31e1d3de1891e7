import { errorTable } from "./entry";

const forged =
  "the token was made by somebody else, altered on the way, or signed with a key that was withdrawn.";

export const identityErrors = errorTable({
  ERR_TOKEN_MALFORMED: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the token is not a signed JWT",
    cause: "something other than an OIDC token was sent, or it was cut short.",
    remedy: "check which token the job sends: it has three parts joined by dots.",
  },
  ERR_TOKEN_ISSUER_UNKNOWN: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "the token's issuer is not trusted here",
    cause: "the configuration has no entry whose issuer.url equals the token's iss, byte for byte.",
    remedy: "add the issuer to the configuration, or send a token of one that is in it.",
  },
  ERR_TOKEN_ALGORITHM: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "the token's signature algorithm is not accepted",
    cause: "only RS, PS and ES with SHA-256, -384 or -512 are; never none or HS.",
    remedy: "let the issuer sign with one of these algorithms.",
  },
  ERR_TOKEN_SIGNATURE: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the token's signature does not fit any key of its issuer",
    cause: forged,
    remedy: "obtain a new token; when that fails too, check the issuer's published keys.",
  },
  ERR_TOKEN_EXPIRED: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the token has expired",
    cause: "it was obtained too long ago and not renewed, or the clocks of issuer and cluster differ.",
    remedy: "obtain a new token; check the clock of the machine that refused it.",
  },
  ERR_TOKEN_NOT_YET_VALID: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "the token is not valid yet",
    cause: "the clock of the machine that refused it is more than one minute behind the issuer's.",
    remedy: "set that machine's clock.",
  },
  ERR_TOKEN_AUDIENCE: {
    hop: "identity provider",
    owner: "workflow author",
    summary: "the token was issued for somebody else",
    cause: "its aud claim names none of the audiences that are configured here.",
    remedy: "ask for the token with the audience that the message names.",
  },
  ERR_TOKEN_CLAIM: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "a claim of the token is missing or of the wrong kind",
    cause: "the issuer does not send the claim, or the configuration names the wrong one.",
    remedy: "compare the token's claims with claimMappings in the configuration.",
  },
  ERR_TOKEN_RULE: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "the token does not meet a rule for its claims",
    cause: "a claimValidationRule asks for another value, or for a claim that the token has not.",
    remedy: "compare the token's claims with the rule that the message names.",
  },
  ERR_TOKEN_EXPRESSION: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "an expression gives nothing for this token",
    cause:
      "it looks at a claim that the token has not, gives a value of the wrong kind, or takes too many steps.",
    remedy: 'let the expression ask first: has(claims.x), or claims.?x.orValue("").',
  },
  ERR_IDENTITY_RULE: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the user that the token maps to does not meet a rule",
    cause: "a userValidationRule refuses this user name, uid, group or extra.",
    remedy: "compare what claimMappings make of the token with the rule that the message names.",
  },
  ERR_ISSUER_KEYS_UNAVAILABLE: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "the issuer's keys cannot be read",
    cause:
      "the issuer cannot be reached from here, its certificate is not trusted, or its discovery document is wrong.",
    remedy: "check the address, issuer.certificateAuthority and the outbound proxy; or give issuer.jwksFile.",
  },
  ERR_IDENTITY_RESERVED: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the token maps to a name that is reserved",
    cause:
      "a user or group beginning with system: would be obeyed as a part of the cluster; extras under cluster-connect.dev/ are the auth proxy's own.",
    remedy:
      "give the claim a prefix in claimMappings, or name the user or group in impersonation.allowSystemNames; give the extra a key under a domain of your own.",
  },
  ERR_IDENTITY_INVALID: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the token maps to a name that cannot be passed on",
    cause:
      "a mapped user, group, uid or extra holds a control character or is too long, or there are too many extras.",
    remedy: "map another claim in claimMappings.",
  },
  ERR_IDENTITY_GROUPS_OVERAGE: {
    hop: "identity provider",
    owner: "cluster operator",
    summary: "the token does not hold all of the caller's groups",
    cause:
      "Microsoft Entra leaves the groups claim out when there are more than 200; no groups is not what that means.",
    remedy:
      "let the app registration send only groups assigned to the application, or map app roles instead.",
  },
  ERR_IDENTITY_TOO_MANY_GROUPS: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the token maps to more groups than are allowed",
    cause: "each group is one header and one authorization check at the apiserver.",
    remedy: "let the issuer send fewer groups, or raise impersonation.maxGroups.",
  },
});
