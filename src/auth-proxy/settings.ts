/** The auth proxy's configuration: one YAML file, strict. Durations are milliseconds, sizes bytes. */
import { z } from "zod";
import { authenticationConfiguration } from "../identity/configuration/settings";
import { identityPolicy } from "../identity/identity-policy";
import { tokenLimits } from "../identity/token-limits";
import { isForwardable } from "./outgoing-headers";

const bound = (value: number) => z.number().int().positive().default(value);
const port = z.number().int().min(0).max(65_535);

const listen = z.union([
  z.strictObject({
    socket: z.string().min(1),
    /** Octal, as text: whoever may connect is whoever may write. */
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/)
      .default("0660"),
  }),
  z.strictObject({
    host: z.string().min(1),
    port,
    /** Whether connections begin with the agent's PROXY header, as they always do on a unix socket. */
    proxyHeader: z.boolean().default(false),
  }),
]);

/** All three absent: the pod's own service account. */
const apiserver = z.union([
  z.strictObject({
    url: z.url({ protocol: /^https$/ }).optional(),
    caFile: z.string().min(1).optional(),
    tokenFile: z.string().min(1).optional(),
    /** Checked against the apiserver's certificate instead of the URL's host. */
    serverName: z.string().min(1).optional(),
  }),
  z.strictObject({ kubeconfig: z.string().min(1), context: z.string().min(1).optional() }),
]);

const secretName = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);

const tls = z.union([
  z.strictObject({
    secret: secretName,
    /** Default: the pod's own namespace. */
    namespace: secretName.optional(),
    caBundleFile: z.string().min(1).optional(),
  }),
  z.strictObject({ directory: z.string().min(1), caBundleFile: z.string().min(1).optional() }),
]);

/** A file may name nobody yet, as at the kube-apiserver; here that would be a slip. */
const inlineAuthentication = authenticationConfiguration.refine(
  ({ jwt, anonymous }) => jwt.length > 0 || anonymous?.enabled === true,
  "nobody is trusted: it has no jwt entry",
);

/** Every bound of the process. What a bound protects stands beside the code that keeps it. */
export const authProxyLimits = z.strictObject({
  connections: bound(4_096),
  /** Connections whose PROXY header or TLS handshake is not finished. */
  handshakes: bound(256),
  proxyHeaderBytes: bound(536),
  proxyHeaderTimeoutMs: bound(5_000),
  tlsHandshakeTimeoutMs: bound(15_000),
  /** Requests being forwarded, watches and upgrades among them. */
  requests: bound(4_096),
  /** Questions to the apiserver about one request that impersonates, one for each part of the user. */
  reviewsARequest: bound(64),
  /** Request line and headers over HTTP/1.1. Go's own servers allow 1 MiB. */
  headerBytes: bound(524_288),
  headers: bound(512),
  headersTimeoutMs: bound(60_000),
  /** client-go keeps idle connections for 90 s: a shorter time here would meet its next request with a reset. */
  keepAliveTimeoutMs: bound(120_000),
  http2Streams: bound(250),
  /** The block that a client may send; nghttp2 itself gives up slightly above 64 KiB. */
  http2HeaderBytes: bound(65_536),
  http2SessionMiB: bound(64),
  /** Upload bytes in flight a stream, and a session, before the proxy's reader has taken them. */
  http2StreamWindowBytes: bound(1_048_576),
  http2SessionWindowBytes: bound(4_194_304),
  apiserverConnectTimeoutMs: bound(10_000),
  /** Below the 90 s after which the apiserver closes an idle connection. */
  apiserverIdleTimeoutMs: bound(50_000),
  apiserverIdleConnections: bound(256),
  upgradeAnswerTimeoutMs: bound(60_000),
  /** How long the other half of a connection may stay silent once one half has ended, or a PING may go unanswered. */
  lingerMs: bound(30_000),
  /** How long the rest of an upload is read and dropped, so that its early answer arrives. */
  uploadDrainMs: bound(5_000),
  /** How long requests may still run after SIGTERM. */
  drainMs: bound(20_000),
  ownTokenRefreshMs: bound(60_000),
  readinessProbeMs: bound(5_000),
  certificateCheckMs: bound(3_600_000),
  /** How often the authentication configuration is looked at for changes. */
  configurationCheckMs: bound(10_000),
});
export type AuthProxyLimits = z.output<typeof authProxyLimits>;

export const authProxySettings = z.strictObject({
  cluster: z.string().min(1).max(253),
  listen,
  apiserver: apiserver.prefault({}),
  tls,
  authentication: z.union([z.strictObject({ file: z.string().min(1) }), inlineAuthentication]),
  upgrades: z.strictObject({ spdy: z.enum(["allow", "refuse"]).default("allow") }).prefault({}),
  impersonation: identityPolicy
    .extend({
      /** Whether a caller may act as somebody else (`--as`), where the cluster grants it to him. */
      nested: z.boolean().default(false),
      /** Whether grants of constrained impersonation count for that: only where the cluster itself knows them. */
      constrained: z.boolean().default(false),
    })
    .prefault({}),
  /** The cluster's own tokens, which go upstream as they are; absent: they are nobody's. */
  passThrough: z
    .strictObject({ issuer: z.string().min(1), audiences: z.array(z.string().min(1)).min(1).optional() })
    .transform(({ issuer, audiences = [issuer] }) => ({ issuer, audiences }))
    .optional(),
  /** What still runs at the end of its token, or at an age, is cut; none: it runs on, as Kubernetes has it. */
  streams: z
    .strictObject({ end: z.enum(["none", "expiry", "maxAge"]).default("none"), maxAgeMs: bound(3_600_000) })
    .prefault({}),
  /** Request headers that pass beside the built-in list, for applications behind `…/proxy/` paths. */
  forwardHeaders: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9-]+$/)
        .refine((name) => isForwardable(name.toLowerCase()), "is written by the proxy itself or not at all"),
    )
    .default([]),
  health: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(0) }).prefault({}),
  limits: authProxyLimits.prefault({}),
  tokenLimits: tokenLimits.prefault({}),
});
export type AuthProxySettings = z.output<typeof authProxySettings>;
export type AuthProxySettingsInput = z.input<typeof authProxySettings>;
