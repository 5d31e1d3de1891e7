/** Reading the apiserver's own record of who asked for what. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";

export interface AuditedUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface AuditEvent {
  readonly auditID: string;
  readonly stage: "ResponseStarted" | "ResponseComplete" | "Panic";
  readonly verb: string;
  readonly requestURI: string;
  /** Whose credential the request carried. */
  readonly user: AuditedUser;
  /** Whom it ran as, where that is somebody else. */
  readonly impersonatedUser?: AuditedUser;
  readonly authenticationMetadata?: { readonly impersonationConstraint?: string };
  readonly sourceIPs?: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string };
  readonly requestObject?: unknown;
  readonly requestReceivedTimestamp: string;
}

/** Where the record ends now: what is read from there on is what happened since. */
export const auditEnd = (file: string): number => (existsSync(file) ? statSync(file).size : 0);

export function readAudit(file: string, from = 0): AuditEvent[] {
  const handle = openSync(file, "r");
  try {
    const length = fstatSync(handle).size - from;
    const bytes = Buffer.alloc(Math.max(0, length));
    readSync(handle, bytes, 0, bytes.length, from);
    // The last line may still be being written.
    const lines = bytes.toString().split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as AuditEvent);
  } finally {
    closeSync(handle);
  }
}
