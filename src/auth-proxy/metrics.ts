import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AuditRecord } from "./audit-record";

export interface AuthProxyMetrics {
  readonly registry: Registry;
  readonly connections: Gauge;
  readonly requests: Gauge;
  count(record: AuditRecord): void;
  /** The authentication configuration has changed and was taken up, or could not be. */
  configurationReloaded(succeeded: boolean): void;
  /** Seconds since the epoch at which the CA and the leaf in use expire. */
  certificatesExpire(caMs: number, leafMs: number): void;
}

/** Labels hold only values of small, fixed sets: never a name, a path or an address. */
export function createMetrics(): AuthProxyMetrics {
  const registry = new Registry();
  const registers = [registry];
  const name = (suffix: string) => `cluster_connect_auth_proxy_${suffix}`;
  const total = new Counter({
    name: name("requests_total"),
    help: "Requests answered, by status and by the error code of those that failed.",
    labelNames: ["status", "code", "upgrade"],
    registers,
  });
  const duration = new Histogram({
    name: name("request_seconds"),
    help: "Time to the end of the answer, upgrades left out.",
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const ends = new Counter({
    name: name("upgrade_ends_total"),
    help: "Upgraded connections that are over, by which side ended and how.",
    labelNames: ["upgrade", "end"],
    registers,
  });
  const expiry = new Gauge({
    name: name("certificate_expiry_seconds"),
    help: "When the certificate expires, in seconds since the epoch.",
    labelNames: ["certificate"],
    registers,
  });
  const reloads = new Counter({
    name: name("configuration_reloads_total"),
    help: "Changes of the authentication configuration, by whether they were taken up.",
    labelNames: ["outcome"],
    registers,
  });
  const isCurrent = new Gauge({
    name: name("configuration_current"),
    help: "1 while the configuration in use is the one on disk, 0 after one that could not be taken up.",
    registers,
  });
  isCurrent.set(1);
  return {
    registry,
    connections: new Gauge({ name: name("connections"), help: "Connections open.", registers }),
    requests: new Gauge({ name: name("requests"), help: "Requests under way.", registers }),
    count({ outcome, upgrade = "none", durationMs }) {
      total.inc({ status: String(outcome.status), code: outcome.error?.code ?? "", upgrade });
      if (outcome.splice === undefined) duration.observe(durationMs / 1_000);
      else ends.inc({ upgrade, end: outcome.splice.end });
    },
    configurationReloaded(succeeded) {
      reloads.inc({ outcome: succeeded ? "success" : "failure" });
      isCurrent.set(succeeded ? 1 : 0);
    },
    certificatesExpire(caMs, leafMs) {
      expiry.set({ certificate: "ca" }, caMs / 1_000);
      expiry.set({ certificate: "leaf" }, leafMs / 1_000);
    },
  };
}
