import type { IssuerSettings } from "./issuer-settings";

/** A token whose signature, issuer, audience and times have been checked. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** `exp`, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The configuration entry that the token was verified by. */
  readonly settings: IssuerSettings;
}
