import type { Identity } from "../identity/identity";
import type { PassedThrough } from "./pass-through";

/** On whose account a request goes to the apiserver. There is no third kind. */
export type Principal =
  | {
      readonly kind: "impersonated";
      readonly identity: Identity;
      /** Whose token it was, where the caller acts as somebody else. */
      readonly caller?: string;
    }
  /** With the caller's own token, instead of the proxy's. */
  | PassedThrough;
