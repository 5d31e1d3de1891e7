import type { Exchange } from "./exchange";
import type { UpgradeOutcome } from "./forward-upgrade";
import type { Principal } from "./principal";
import type { UpgradeProtocol } from "./upgrade-rules";

/** What became of one request. */
export interface AuditRecord {
  readonly exchange: Pick<Exchange, "protocol" | "method" | "target" | "origin">;
  /** Undefined where the request was refused before it was known. */
  readonly principal: Principal | undefined;
  readonly upgrade: UpgradeProtocol | undefined;
  readonly outcome: UpgradeOutcome;
  readonly durationMs: number;
}
