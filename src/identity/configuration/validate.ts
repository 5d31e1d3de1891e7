/**
 * What the kube-apiserver checks of an AuthenticationConfiguration when it loads one: it and this refuse the same
 * configurations, at the same path and with the same kind of error. docs/authentication.md lists where they differ.
 */
import { Problems, reportDuplicates, type Problem } from "./problem";
import type { IssuerSettings, MappedIssuerSettings } from "./schema";
import { validateIssuer } from "./validate-issuer";
import { validateMappings } from "./validate-mappings";
import { validateClaimRules, validateUserRules } from "./validate-rules";

/** As many as the kube-apiserver takes. */
const maxEntries = 64;

export interface ConfigurationToValidate {
  readonly jwt: readonly MappedIssuerSettings[];
  readonly anonymous?: { readonly enabled: boolean; readonly conditions: readonly unknown[] } | undefined;
}

export function validateConfiguration({ jwt, anonymous }: ConfigurationToValidate): readonly Problem[] {
  const problems = new Problems();
  validateEntries(jwt, { audiencesRequired: true }, problems.at("jwt"));
  if (jwt.length <= maxEntries && anonymous?.enabled === false && anonymous.conditions.length > 0) {
    problems
      .at("anonymous", "conditions")
      .invalid("enabled should be set to true when conditions are defined");
  }
  return problems.all;
}

/** The same for a bare list of entries, whose audiences may be left to a default. */
export function validateIssuers(entries: readonly IssuerSettings[]): readonly Problem[] {
  const problems = new Problems();
  validateEntries(entries, { audiencesRequired: false }, problems);
  return problems.all;
}

function validateEntries(
  entries: readonly IssuerSettings[],
  rules: { readonly audiencesRequired: boolean },
  at: Problems,
): void {
  if (entries.length > maxEntries) {
    return at.add("Too many", `${String(entries.length)}, at most ${String(maxEntries)}`);
  }
  for (const [index, entry] of entries.entries()) {
    const here = at.at(index);
    validateIssuer(entry.issuer, rules, here.at("issuer"));
    const expressions = validateClaimRules(entry.claimValidationRules, here.at("claimValidationRules"));
    if (entry.claimMappings !== undefined) {
      validateMappings(entry.claimMappings, expressions, here.at("claimMappings"));
    } else if (entry.userValidationRules.length > 0) {
      here.at("claimMappings").required("userValidationRules look at what they make of a token");
    }
    validateUserRules(entry.userValidationRules, here.at("userValidationRules"));
  }
  const urls = entries.map(({ issuer }) => issuer.url);
  reportDuplicates(urls, (index) => at.at(index, "issuer", "url"));
  const discovery = entries.map(({ issuer }, index) => ({ url: issuer.discoveryURL, index }));
  const named = discovery.filter(({ url }) => url !== "");
  reportDuplicates(
    named.map(({ url }) => url),
    (position) => at.at(named[position]?.index ?? 0, "issuer", "discoveryURL"),
  );
}
