/** The relay's configuration: who may listen and connect where, and every bound. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { haveDistinctUrls, issuerSchema } from "../identity/issuer-settings";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { loadSettings } from "../runtime/settings";

const positive = z.number().int().positive();
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/;

const publicUrl = z.url().refine((text) => {
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "" && url.username === "";
}, "must be an http(s) origin without path, query or user");

const key = z.strictObject({ name: z.string().min(1).max(256), keyFile: z.string().min(1) });
const claimValue = z.union([z.string(), z.number(), z.boolean()]);

const clientRule = z.strictObject({
  issuer: z.url(),
  /** Each named claim must equal the value, or one of the values. At least one: a rule for everybody is a mistake. */
  claims: z
    .record(z.string(), z.union([claimValue, z.array(claimValue).min(1)]))
    .refine((claims) => Object.keys(claims).length > 0, "at least one claim is required"),
});
export type ClientRule = z.output<typeof clientRule>;

const cluster = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/, "is a path of letters, digits, . _ ~ -")
    .max(260),
  agents: z
    .strictObject({
      serviceAccounts: z.array(z.strictObject({ issuer: z.url(), subject: z.string().min(1) })).default([]),
      keys: z.array(key).default([]),
    })
    .prefault({}),
  clients: z
    .strictObject({ keys: z.array(key).default([]), allow: z.array(clientRule).default([]) })
    .prefault({}),
});
export type ClusterSettings = z.output<typeof cluster>;

const limits = z.strictObject({
  listenersPerCluster: positive.default(25),
  connections: positive.default(20_000),
  /** Connections joined at a time, and senders waiting for a listener. */
  links: positive.default(5_000),
  pending: positive.default(1_000),
  headerBytes: positive.default(65_536),
  /** Old listeners that would come back at once, doubled, if they were refused; they are left waiting instead. */
  parked: positive.default(1_024),
  parkedPerAddress: positive.default(512),
});

const timers = z.strictObject({
  tlsHandshakeMs: positive.default(10_000),
  headersMs: positive.default(10_000),
  rendezvousMs: positive.default(30_000),
  pingMs: positive.default(30_000),
  closeMs: positive.default(60_000),
  /** A control channel lives on for this long after its token's expiry, since renewals arrive late. */
  expiryGraceMs: positive.default(300_000),
  parkedMs: positive.default(60_000),
  tlsReloadMs: positive.default(10_000),
  /** After SIGTERM, how long open links may go on. */
  drainMs: positive.default(3_600_000),
});

export const relaySettings = z
  .strictObject({
    publicUrl,
    listen: z.strictObject({
      host: z.string().default("0.0.0.0"),
      port: z.number().int().min(0).max(65_535),
    }),
    tls: z.strictObject({ certFile: z.string(), keyFile: z.string() }).optional(),
    /** A balancer in front terminates TLS; required to serve plain HTTP on anything but loopback. */
    trustedProxy: z.boolean().default(false),
    /** Audience of tokens; default: the origin of `publicUrl`. */
    audience: z.string().min(1).optional(),
    issuers: z.array(issuerSchema).default([]).refine(haveDistinctUrls, "issuer.url must not repeat"),
    clusters: z.array(cluster).min(1),
    limits: limits.prefault({}),
    timers: timers.prefault({}),
    health: z
      .strictObject({
        host: z.string().default("127.0.0.1"),
        port: z.number().int().min(0).max(65_535).default(0),
      })
      .prefault({}),
  })
  .superRefine((settings, context) => {
    const complain = (message: string, path: PropertyKey[]) =>
      context.addIssue({ code: "custom", message, path });
    if (settings.tls === undefined && !settings.trustedProxy && !loopback.test(settings.listen.host)) {
      complain("is required on an address that is not loopback, unless trustedProxy is true", ["tls"]);
    }
    const names = settings.clusters.map(({ name }) => name.toLowerCase());
    if (new Set(names).size !== names.length) complain("cluster names must not repeat", ["clusters"]);
    const issuers = new Set(settings.issuers.map(({ issuer }) => issuer.url));
    for (const [index, { name, agents, clients }] of settings.clusters.entries()) {
      const at = (...rest: PropertyKey[]) => ["clusters", index, ...rest];
      if (agents.keys.length + agents.serviceAccounts.length === 0) {
        complain(`${name} has no credential for agents`, at("agents"));
      }
      if (clients.keys.length + clients.allow.length === 0) {
        complain(`${name} has no credential for clients`, at("clients"));
      }
      for (const { issuer } of [...agents.serviceAccounts, ...clients.allow]) {
        if (!issuers.has(issuer))
          complain(`${name} names issuer ${issuer}, which is not among issuers`, at());
      }
    }
  });
export type RelaySettings = z.output<typeof relaySettings>;

/** Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID. */
export const loadRelaySettings = (path: string): RelaySettings => loadSettings(path, relaySettings);

/** A shared key: the file's text without blanks around it. Throws ERR_SETTINGS_UNREADABLE. */
export function readKeyFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
  // Azure's own keys have 32 bytes, 44 characters of base64; a short one could be guessed.
  if (text.length < 32) {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", `${path}: a key has at least 32 characters`);
  }
  return text;
}
