import type { Identity } from "../identity/identity";
import type { Exchange } from "./exchange";
import type { UpgradeOutcome } from "./forward-upgrade";
import type { UpgradeProtocol } from "./upgrade-rules";

/** What became of one request. */
export interface AuditRecord {
  readonly exchange: Pick<Exchange, "protocol" | "method" | "target" | "origin">;
  readonly identity: Identity | undefined;
  readonly upgrade: UpgradeProtocol | undefined;
  readonly outcome: UpgradeOutcome;
  readonly durationMs: number;
}
