import { identities } from "./token-identity";
import type { TokenCase } from "./token-case";
import { rulesAndExpressions } from "./token-rules";
import { verification } from "./token-verification";

export { differences, type Outcome } from "./token-case";

export const tokenCases: readonly TokenCase[] = [...verification, ...identities, ...rulesAndExpressions];
