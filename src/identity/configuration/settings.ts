/** The schemas that processes put into their own settings: shape and meaning in one. */
import { z } from "zod";
import { problemText, type Problem } from "./problem";
import { configuration, entry } from "./schema";
import { validateConfiguration, validateIssuers } from "./validate";

const report = (problems: readonly Problem[], context: z.core.$RefinementCtx) => {
  for (const problem of problems) {
    context.addIssue({ code: "custom", path: [...problem.path], message: problemText(problem) });
  }
};

/** Kubernetes' AuthenticationConfiguration v1. */
export const authenticationConfiguration = configuration.superRefine((value, context) => {
  report(validateConfiguration(value), context);
});
export type AuthenticationConfiguration = z.output<typeof authenticationConfiguration>;

/** Issuers alone, as the relay trusts them: entries of `jwt[]` that need neither audiences nor claimMappings. */
export const trustedIssuers = z.array(entry).superRefine((value, context) => {
  report(validateIssuers(value), context);
});
