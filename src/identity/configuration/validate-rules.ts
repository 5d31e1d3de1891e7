import {
  claimsSubject,
  compileExpression,
  ConstantRefusal,
  userSubject,
  type Expression,
  type Subject,
} from "../cel/expression";
import { messageOf } from "../../runtime/errors";
import type { Problems } from "./problem";
import type { IssuerSettings } from "./schema";

/** Returns the expressions that hold, so that claims they name can be looked for. */
export function validateClaimRules(
  rules: IssuerSettings["claimValidationRules"],
  at: Problems,
): readonly Expression[] {
  const seen = new Set<string>();
  const seenClaims = new Set<string>();
  return rules.flatMap(({ claim, requiredValue, expression, message }, index) => {
    const here = at.at(index);
    if (claim !== "" && expression !== "") here.invalid("claim and expression can't both be set");
    else if (claim === "" && expression === "") here.required("claim or expression is required");
    else if (claim !== "") {
      if (message !== "") here.at("message").invalid("may not be specified when claim is set");
      if (seenClaims.has(claim)) here.at("claim").duplicate(claim);
      seenClaims.add(claim);
    } else {
      if (requiredValue !== "")
        here.at("requiredValue").invalid("may not be specified when expression is set");
      return compiled(expression, claimsSubject, seen, here.at("expression"));
    }
    return [];
  });
}

export function validateUserRules(rules: IssuerSettings["userValidationRules"], at: Problems): void {
  const seen = new Set<string>();
  for (const [index, { expression }] of rules.entries()) {
    const here = at.at(index, "expression");
    if (expression === "") here.required();
    else compiled(expression, userSubject, seen, here);
  }
}

/** A rule, which must give a bool. */
function compiled(text: string, subject: Subject, seen: Set<string>, at: Problems): Expression[] {
  if (seen.has(text)) {
    at.duplicate(text);
    return [];
  }
  seen.add(text);
  return tryCompile(text, subject, at, true);
}

/** A mapping's expression may give anything at load; what it gives is looked at with each token. */
export function tryCompile(text: string, subject: Subject, at: Problems, mustBeBool = false): Expression[] {
  try {
    return [compileExpression(text, subject, mustBeBool)];
  } catch (error) {
    at.add(error instanceof ConstantRefusal ? "Internal error" : "Invalid value", messageOf(error));
    return [];
  }
}
