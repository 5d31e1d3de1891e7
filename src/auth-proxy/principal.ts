import type { Identity } from "../identity/identity";
import type { PassedThrough } from "./pass-through";

/** On whose account a request goes to the apiserver. There is no third kind. */
export type Principal =
  | { readonly kind: "impersonated"; readonly identity: Identity }
  /** With the caller's own token, instead of the proxy's. */
  | PassedThrough;
