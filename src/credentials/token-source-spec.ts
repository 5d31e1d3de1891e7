/** How a process is told, over its stdin or from its configuration, where its tokens come from. */
import { z } from "zod";

export const tokenSourceSpec = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("github-oidc"),
    requestUrl: z.url(),
    requestToken: z.string().min(1),
    audience: z.string().min(1),
  }),
  z.strictObject({ kind: z.literal("file"), path: z.string().min(1) }),
  /** Prints a raw JWT, an ExecCredential, or the JSON of `az account get-access-token`. */
  z.strictObject({ kind: z.literal("command"), command: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal("static"), token: z.string().min(1) }),
]);

export type TokenSourceSpec = z.infer<typeof tokenSourceSpec>;
