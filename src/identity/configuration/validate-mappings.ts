import { claimsSubject, type Expression } from "../cel/expression";
import type { Problems } from "./problem";
import type { ClaimMappings } from "./schema";
import { tryCompile } from "./validate-rules";

/** `rules` are the claim validation rules' expressions: they may be where an address is found to be verified. */
export function validateMappings(mappings: ClaimMappings, rules: readonly Expression[], at: Problems): void {
  const username = prefixedClaimOrExpression(mappings.username, true, at.at("username"));
  prefixedClaimOrExpression(mappings.groups, false, at.at("groups"));
  const { claim, expression } = mappings.uid;
  if (claim !== "" && expression !== "") at.at("uid").invalid("claim and expression can't both be set");
  else if (expression !== "") tryCompile(expression, claimsSubject, at.at("uid", "expression"));
  const extra = validateExtra(mappings.extra, at.at("extra"));
  const names = (expressions: readonly Expression[], field: string) =>
    expressions.some(({ selects }) => selects.has(field));
  if (names(username, "email") && !names([...username, ...extra, ...rules], "email_verified")) {
    at.at("username", "expression").invalid(
      "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression",
    );
  }
}

function prefixedClaimOrExpression(
  { claim, prefix, expression }: ClaimMappings["username"],
  isRequired: boolean,
  at: Problems,
): Expression[] {
  if (claim !== "" && expression !== "") at.invalid("claim and expression can't both be set");
  else if (expression !== "") {
    if (prefix !== undefined) at.at("prefix").invalid("may not be specified when expression is set");
    return tryCompile(expression, claimsSubject, at.at("expression"));
  } else if (claim !== "") {
    if (prefix === undefined) {
      at.at("prefix").required("it can be set to an empty string to disable prefixing");
    }
  } else if (isRequired) at.required("claim or expression is required");
  return [];
}

function validateExtra(extra: ClaimMappings["extra"], at: Problems): Expression[] {
  const seen = new Set<string>();
  return extra.flatMap(({ key, valueExpression }, index) => {
    const here = at.at(index);
    validateExtraKey(key, here.at("key"));
    if (seen.has(key)) {
      here.at("key").duplicate(key);
      return [];
    }
    seen.add(key);
    const value = here.at("valueExpression");
    if (valueExpression !== "") return tryCompile(valueExpression, claimsSubject, value);
    value.required();
    return [];
  });
}

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = new RegExp(`^${label}(\\.${label})*$`);
const path = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const ownDomain = "cluster-connect.dev";

function validateExtraKey(key: string, at: Problems): void {
  if (key === "") return at.required();
  const [domain = "", ...rest] = key.split("/");
  const name = rest.join("/");
  if (domain === "" || name === "") at.invalid('must be a domain-prefixed path (such as "acme.io/foo")');
  else {
    if (domain.length > 253 || !subdomain.test(domain)) at.invalid("its domain is not a DNS subdomain");
    if (!path.test(name)) at.invalid("its path holds characters that a path has not");
  }
  if (key !== key.toLowerCase()) at.invalid("must be lowercase");
  if (name === "") return;
  if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain)) {
    at.invalid("k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use");
  }
  if (domain === ownDomain) at.invalid(`${ownDomain} is for what the auth proxy itself says of a request`);
}
