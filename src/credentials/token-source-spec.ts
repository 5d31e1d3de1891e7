/** How a process is told, over its stdin or from its configuration, where its tokens come from. */
import { z } from "zod";

const githubOidc = z.strictObject({
  kind: z.literal("github-oidc"),
  requestUrl: z.url(),
  requestToken: z.string().min(1),
  audience: z.string().min(1),
});

const azureDevOpsOidc = z.strictObject({
  kind: z.literal("azure-devops-oidc"),
  requestUri: z.url(),
  accessToken: z.string().min(1),
  serviceConnectionId: z.string().min(1).optional(),
});

/** What a CI system says of a job. */
export const assertionSpec = z.discriminatedUnion("kind", [githubOidc, azureDevOpsOidc]);
export type AssertionSpec = z.infer<typeof assertionSpec>;

export const tokenSourceSpec = z.discriminatedUnion("kind", [
  githubOidc,
  azureDevOpsOidc,
  z.strictObject({
    kind: z.literal("entra"),
    authority: z.url(),
    tenantId: z.string().min(1),
    clientId: z.string().min(1),
    scope: z.string().min(1),
    assertion: assertionSpec,
  }),
  z.strictObject({ kind: z.literal("file"), path: z.string().min(1) }),
  /** Prints a raw JWT, an ExecCredential, or the JSON of `az account get-access-token`. */
  z.strictObject({ kind: z.literal("command"), command: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal("static"), token: z.string().min(1) }),
]);

export type TokenSourceSpec = z.infer<typeof tokenSourceSpec>;
