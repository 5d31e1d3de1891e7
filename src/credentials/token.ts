import { lifetimeOf } from "./jwt-claims";
import type { Token } from "./token-source";

/** A token as received now. */
export const receivedToken = (value: string): Token => ({
  value,
  receivedAtMs: Date.now(),
  lifetimeMs: lifetimeOf(value),
});
