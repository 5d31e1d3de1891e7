/** The agent's configuration: one relay, one cluster, one target. Durations are milliseconds, sizes bytes. */
import { z } from "zod";
import { loadSettings } from "../runtime/settings";

const positive = (value: number) => z.number().int().positive().default(value);
const port = z.number().int().min(0).max(65_535);

const origin = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = new URL(text);
  return url.pathname === "/" && url.search === "" && url.username === "";
}, "must be an origin: no path, query or user");

const relay = z.strictObject({
  url: origin,
  cluster: z.string().min(1).max(260),
  /** PEM of the CAs that sign the relay's certificate, instead of the system's. */
  caFile: z.string().min(1).optional(),
  credential: z.union([
    z.strictObject({ tokenFile: z.string().min(1) }),
    z.strictObject({ keyName: z.string().min(1), keyFile: z.string().min(1) }),
  ]),
  /** Hosts, or suffixes that begin with a dot, where connections may be taken beside the relay's own host. */
  rendezvousHosts: z.array(z.string().min(1)).default([]),
});

const target = z.union([
  /** The auth proxy. Its CA is read from `<socket>.ca.pem` unless named. */
  z.strictObject({ socket: z.string().min(1), caFile: z.string().min(1).optional() }),
  /** Anything that speaks TLS for the cluster's server name; no PROXY header is written to it. */
  z.strictObject({ host: z.string().min(1), port: port.min(1), caFile: z.string().min(1) }),
]);
export type Target = z.output<typeof target>;

const agentLimits = z.strictObject({
  sessions: positive(1_024),
  streamsPerSession: positive(512),
  /** Granted or held for all sessions, and for one. */
  heldBytes: positive(268_435_456),
  sessionHeldBytes: positive(67_108_864),
  connectTimeoutMs: positive(5_000),
  targetProbeMs: positive(1_000),
  relayHandshakeMs: positive(20_000),
  pingMs: positive(30_000),
  tokenLifetimeMs: positive(3_600_000),
  renewMs: positive(1_200_000),
  retryMaxMs: positive(10_000),
  /** After SIGTERM, how long open streams may go on. */
  drainMs: positive(3_600_000),
});
export type AgentLimits = z.output<typeof agentLimits>;

export const agentSettings = z.strictObject({
  relay,
  target,
  limits: agentLimits.prefault({}),
  health: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(0) }).prefault({}),
});
export type AgentSettings = z.output<typeof agentSettings>;
export type AgentSettingsInput = z.input<typeof agentSettings>;

/** Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID. */
export const loadAgentSettings = (path: string): AgentSettings => loadSettings(path, agentSettings);
