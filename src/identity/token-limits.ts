import { z } from "zod";

/** What verifying a token may cost at most. */
export const tokenLimits = z.strictObject({
  maxTokenBytes: z.number().int().positive().default(131_072),
  maxKeys: z.number().int().positive().default(128),
  keySetBytes: z.number().int().positive().default(1_048_576),
  keyFetchTimeoutMs: z.number().int().positive().default(10_000),
  /** How often an issuer's keys are fetched again in the background. */
  keyRefreshMs: z.number().int().positive().default(600_000),
  /** A token with an unknown key id causes a fetch at most this often, however many such tokens come. */
  keyCooldownMs: z.number().int().nonnegative().default(30_000),
  /** How long a token that was found good is not checked again; 0 checks it each time. */
  cacheMs: z.number().int().nonnegative().default(10_000),
  /** Steps that one expression may take over one token; each looks at an element, or at ten characters. */
  maxExpressionCost: z.number().int().positive().default(1_000_000),
  cacheEntries: z.number().int().positive().default(1_024),
});
export type TokenLimits = z.output<typeof tokenLimits>;
