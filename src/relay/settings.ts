/** The relay's configuration: who may listen and connect where, and every bound. */
import { z } from "zod";
import { maxEntityCharacters } from "../hybrid-connections/addresses";
import { claimsSubject, compileExpression } from "../identity/cel/expression";
import { trustedIssuers } from "../identity/configuration/settings";
import { tokenLimits } from "../identity/token-limits";
import { messageOf } from "../runtime/errors";
import { loadSettings } from "../runtime/settings";

const positive = z.number().int().positive();
const port = z.number().int().min(0).max(65_535);
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/;

const publicUrl = z.url().refine((text) => {
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "" && url.username === "";
}, "must be an http(s) origin without path, query or user");

const key = z.strictObject({ name: z.string().min(1).max(256), keyFile: z.string().min(1) });
const claimValue = z.union([z.string(), z.number(), z.boolean()]);

/** A rule for everybody of an issuer is a mistake: it names claims, or has an expression, or both. */
const clientRule = z
  .strictObject({
    issuer: z.url(),
    /** Each named claim must equal the value, or one of the values. */
    claims: z.record(z.string(), z.union([claimValue, z.array(claimValue).min(1)])).default({}),
    /** CEL over `claims`, which must give true. */
    expression: z.string().min(1).optional(),
  })
  .superRefine(({ claims, expression }, context) => {
    const complain = (message: string, path: string) =>
      context.addIssue({ code: "custom", message, path: [path] });
    if (expression === undefined) {
      if (Object.keys(claims).length === 0)
        complain("at least one claim is required, or an expression", "claims");
      return;
    }
    try {
      compileExpression(expression, claimsSubject, true);
    } catch (error) {
      complain(messageOf(error), "expression");
    }
  });
export type ClientRule = z.output<typeof clientRule>;

const cluster = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/, "is a path of letters, digits, . _ ~ -")
    .max(maxEntityCharacters),
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
  /** Connections in all; and those whose caller has not been admitted yet, in all and from one address. */
  connections: positive.default(20_000),
  strangers: positive.default(8_192),
  strangersPerAddress: positive.default(1_024),
  /** Connections joined at a time, and senders waiting for a listener. */
  links: positive.default(5_000),
  /** The same of one identity: issuer and subject of a token, or a key; and how often it may ask for one. */
  linksPerIdentity: positive.default(1_000),
  opensPerIdentityPerMinute: positive.default(6_000),
  pending: positive.default(1_000),
  headerBytes: positive.max(1_048_576).default(65_536),
  /** Bytes that wait for one end of a link before the other end is not read any more. */
  legBytes: positive.default(262_144),
  /** Bytes that wait for a listener before it is not given new senders. */
  controlBytes: positive.default(1_048_576),
  /** Memory for, and number from one address of, old listeners that are left waiting instead of refused. */
  parkedBytes: positive.default(67_108_864),
  parkedPerAddress: positive.default(512),
});

/** A timer of Node holds no more. */
const milliseconds = positive.max(2_147_483_647);

const timers = z.strictObject({
  tlsHandshakeMs: milliseconds.default(10_000),
  headersMs: milliseconds.default(10_000),
  rendezvousMs: milliseconds.default(30_000),
  pingMs: milliseconds.default(30_000),
  /** After one end's Close, how long the other may go on; and how long a closed connection may take to go. */
  closeMs: milliseconds.default(60_000),
  /** A control channel lives on for this long after its token's expiry, since renewals arrive late. */
  expiryGraceMs: z.number().int().nonnegative().default(300_000),
  /** How long an old listener's handshake is left waiting: less than balancers allow. */
  parkedMs: milliseconds.default(50_000),
  /** How long one for which there is no room to wait is let in before it is closed. */
  turnAwayMs: milliseconds.default(5_000),
  tlsReloadMs: milliseconds.default(10_000),
  /** How often the configuration and the keys that it names are looked at for changes. */
  configurationCheckMs: milliseconds.default(10_000),
  /** After SIGTERM, how long open links may go on. */
  drainMs: milliseconds.default(3_600_000),
});

export const relaySettings = z
  .strictObject({
    publicUrl,
    listen: z.strictObject({
      host: z.string().min(1).default("0.0.0.0"),
      port,
    }),
    tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
    /** A balancer in front terminates TLS; required to serve plain HTTP on anything but loopback. */
    trustedProxy: z.boolean().default(false),
    /** Audience of tokens; default: the origin of `publicUrl`. */
    audience: z.string().min(1).optional(),
    issuers: trustedIssuers.prefault([]),
    clusters: z.array(cluster).min(1),
    limits: limits.prefault({}),
    tokenLimits: tokenLimits.prefault({}),
    timers: timers.prefault({}),
    health: z
      .strictObject({ host: z.string().min(1).default("127.0.0.1"), port: port.default(0) })
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
