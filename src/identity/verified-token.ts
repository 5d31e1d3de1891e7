import type { Identity } from "./identity";
import type { IssuerSettings } from "./configuration/schema";

/** A token whose signature, issuer, audience and times have been checked, and the rules of its issuer's entry. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** `exp`, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The configuration entry that the token was verified by. */
  readonly settings: IssuerSettings;
  /** What the entry's mappings make of the claims; undefined where it has none. */
  readonly identity: Identity | undefined;
}
