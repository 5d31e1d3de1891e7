/** The entries of `jwt[]` that the tokens of the table are shown to; each is an issuer of its own. */

const sub = { claim: "sub", prefix: "" };
const groups = { claim: "groups", prefix: "g:" };

interface Entry {
  readonly audiences?: readonly string[];
  readonly audienceMatchPolicy?: string;
  readonly claimMappings: object;
  readonly claimValidationRules?: readonly object[];
  readonly userValidationRules?: readonly object[];
}

export const configurations = {
  plain: { claimMappings: { username: sub, groups } },
  bare: { claimMappings: { username: sub, groups: { claim: "groups", prefix: "" } } },
  prefixed: { claimMappings: { username: { claim: "sub", prefix: "oidc:" } } },
  audiences: {
    audiences: ["plant-7", "plant-8"],
    audienceMatchPolicy: "MatchAny",
    claimMappings: { username: sub },
  },
  elsewhere: { claimMappings: { username: sub } },
  uid: { claimMappings: { username: sub, uid: { claim: "oid" } } },
  email: { claimMappings: { username: { claim: "email", prefix: "" } } },
  required: {
    claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }],
    claimMappings: { username: sub },
  },
  lifetime: {
    claimValidationRules: [
      { expression: "claims.exp - claims.iat <= 600.0", message: "ten minutes at most" },
      { expression: "claims.?ref.orValue('refs/heads/main').matches('^refs/heads/(main|release-.*)$')" },
    ],
    claimMappings: { username: sub },
  },
  expressions: {
    claimMappings: {
      username: { expression: '"ci:" + claims.sub' },
      groups: { expression: 'dyn(claims.roles).filter(r, r != "").map(r, "role:" + r)' },
      uid: { expression: "claims.oid" },
      extra: [
        { key: "example.com/scopes", valueExpression: 'claims.?scp.orValue("").split(" ").map(s, s)' },
        { key: "example.com/tenant", valueExpression: "claims.?tid.orValue(null)" },
      ],
    },
  },
  groupsExpression: { claimMappings: { username: sub, groups: { expression: "claims.groups" } } },
  split: { claimMappings: { username: sub, groups: { expression: 'claims.groups.split(" ")' } } },
  concatenated: { claimMappings: { username: sub, groups: { expression: '["all"] + claims.groups' } } },
  sorted: {
    claimMappings: { username: sub, groups: { expression: "dyn(claims.groups).distinct().sort()" } },
  },
  branches: {
    claimMappings: {
      username: {
        expression: 'claims.?idtyp.orValue("") == "app" ? "app:" + claims.azp : "user:" + claims.oid',
      },
    },
  },
  numbers: { claimMappings: { username: { expression: "string(claims.n)" } } },
  integers: { claimMappings: { username: { expression: "string(int(claims.n))" } } },
  escaped: { claimMappings: { username: { expression: "claims.a__dot__b + claims.o.x__dash__y" } } },
  fallback: { claimMappings: { username: { expression: "claims.?name.orValue(claims.sub)" } } },
  parts: {
    claimMappings: {
      username: { expression: 'claims.sub.split(":")[1]' },
      groups: { expression: 'sets.contains(claims.groups, ["admins"]) ? ["admins"] : []' },
    },
  },
  anyValue: { claimMappings: { username: { expression: "claims.v" } } },
  users: {
    userValidationRules: [
      { expression: '!user.username.startsWith("system:")', message: "a system name" },
      { expression: 'user.groups.all(g, g.startsWith("g:"))' },
      { expression: 'user.extra.all(k, k.contains("/"))' },
      { expression: 'user.uid == "" || user.uid.size() == 3' },
    ],
    claimMappings: { username: sub, groups, uid: { expression: 'claims.?oid.orValue("")' } },
  },
  credential: {
    userValidationRules: [
      { expression: 'user.extra["authentication.kubernetes.io/credential-id"] == ["JTI=" + user.username]' },
    ],
    claimMappings: { username: sub },
  },
} as const satisfies Readonly<Record<string, Entry>>;
export type ConfigurationName = keyof typeof configurations;

/** The configuration with all of them, issued at `urlOf`. */
export function authenticationConfigurationOf(urlOf: (name: string) => string, certificateAuthority: string) {
  const jwt = Object.entries<Entry>(configurations).map(
    ([name, { audiences, audienceMatchPolicy, ...rest }]) => ({
      issuer: {
        url: urlOf(name),
        audiences: audiences ?? ["plant-7"],
        ...(audienceMatchPolicy === undefined ? {} : { audienceMatchPolicy }),
        ...(name === "elsewhere" ? { discoveryURL: `${urlOf(name)}/document` } : {}),
        certificateAuthority,
      },
      ...rest,
    }),
  );
  return { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration", jwt };
}
