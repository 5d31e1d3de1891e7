/**
 * The published contract of the client proxy: what it is told over its stdin, and what it answers over its
 * control endpoint. `ci/` imports this file and `kubeconfig.ts` beside it, nothing else of the client proxy.
 *
 * stdin: one JSON `StartRequest`, then end of input. Control endpoint: a unix socket (a named pipe on Windows) in
 * the instance's 0700 folder; each connection carries one line of JSON (`ControlRequest`) and gets one line back.
 */
import { z } from "zod";
import { tokenSourceSpec } from "../credentials/token-source-spec";
import { isErrorCode, type ErrorCode } from "../runtime/errors";
import { hops } from "../runtime/errors/entry";

/** Our own relay, or an Azure Relay namespace. */
const relayBackend = z.strictObject({
  kind: z.literal("relay"),
  url: z.url(),
  caPem: z.string().optional(),
  credential: z.union([
    tokenSourceSpec,
    z.strictObject({ kind: z.literal("sas"), keyName: z.string().min(1), key: z.string().min(1) }),
  ]),
  /** Whose token the requests carry to the cluster. */
  clusterCredential: tokenSourceSpec,
  /** PEM certificates and `sha256:…` pins; empty: the CA that the agent names is taken, and a warning says so. */
  clusterCa: z.array(z.string()).default([]),
  /** Connections carried by one session at a time; the memory that may be granted or held grows with it. */
  maxStreams: z.number().int().min(1).max(2_048).default(512),
});
export type RelayBackendRequest = z.infer<typeof relayBackend>;

/** Azure Arc, through Microsoft's arcProxy. The cluster's name is that of the resource. */
const arcBackend = z.strictObject({
  kind: z.literal("arc"),
  subscriptionId: z.string().min(1),
  resourceGroup: z.string().min(1),
  /** AzureCloud, AzureUSGovernment, AzureChinaCloud, or the address of an ARM endpoint. */
  cloud: z.string().min(1),
  tenantId: z.string().min(1),
  signIn: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("assertion"),
      clientId: z.string().min(1),
      assertion: tokenSourceSpec,
    }),
    z.strictObject({ kind: z.literal("secret"), clientId: z.string().min(1), secret: z.string().min(1) }),
    z.strictObject({ kind: z.literal("certificate"), clientId: z.string().min(1), pem: z.string().min(1) }),
    /** Tokens for ARM that somebody else obtains; needs `serviceAccount`. */
    z.strictObject({ kind: z.literal("token"), source: tokenSourceSpec }),
  ]),
  /** Tokens of a Kubernetes service account, as whom to come instead. */
  serviceAccount: tokenSourceSpec.optional(),
  /** arcProxy, and the digest that it must have each time it is started. */
  program: z.strictObject({ path: z.string().min(1), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }),
});
export type ArcBackendRequest = z.infer<typeof arcBackend>;

export const startRequest = z.strictObject({
  /** A fresh 0700 folder made by the caller; everything the client proxy writes is in it. */
  instanceDirectory: z.string().min(1),
  cluster: z.string().min(1),
  backend: z.discriminatedUnion("kind", [relayBackend, arcBackend]),
  contextName: z.string().min(1),
  namespace: z.string().optional(),
  listen: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: z.number().int().min(0).max(65_535).default(0),
    })
    .prefault({}),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
});
export type StartRequest = z.infer<typeof startRequest>;
export type StartRequestInput = z.input<typeof startRequest>;

/** Name, in the instance folder, of the one-time secret that every control request must carry (0600). */
export const controlSecretFile = "control.secret";
/** Name, in the instance folder, of a one-line file holding the address of the control endpoint. */
export const controlAddressFile = "control.address";
/** Name, in the instance folder, of the kubeconfig that the client proxy writes once the cluster has answered. */
export const kubeconfigFile = "kubeconfig";
/** Names, in the instance folder, of arcProxy's own folder, of its configuration in there, and of its log. */
export const arcProxyFolder = "arc-proxy";
export const arcProxyConfig = "arc-proxy/config.yml";
export const arcProxyLogFile = "arc-proxy.log";
/** Name, in the instance folder, of the log; the caller opens it and hands it over as stdout and stderr. */
export const logFile = "client-proxy.log";

export const controlRequest = z.strictObject({
  secret: z.string(),
  /** `wait` answers as soon as the phase is `ready` or `failed`; `stop` answers once everything is torn down. */
  command: z.enum(["status", "wait", "stop"]),
});
export type ControlRequest = z.infer<typeof controlRequest>;

const connectionFacts = z.strictObject({
  /** `https://127.0.0.1:PORT`, as in the kubeconfig. */
  server: z.string(),
  kubeconfigPath: z.string(),
  contextName: z.string(),
  /** Who the cluster says the caller is (SelfSubjectReview), and its groups. */
  identity: z.string(),
  groups: z.array(z.string()),
  serverVersion: z.string(),
  /** `sha256:…` of each CA certificate that the agent named, to be pasted as `cluster-ca`. */
  caPins: z.array(z.string()),
  /** Whether those were checked against pins. */
  caPinned: z.boolean(),
  /** False when the cluster grants this identity nothing but what every authenticated user has. */
  hasRights: z.boolean(),
  timingsMs: z.record(z.string(), z.number()),
});
export type ConnectionFacts = z.infer<typeof connectionFacts>;

const failureReport = z.strictObject({
  code: z.custom<ErrorCode>(isErrorCode),
  detail: z.string(),
  hop: z.enum(hops),
});

export const controlStatus = z.strictObject({
  /** `connecting` until a request has come back from the cluster; `failed` only for what a retry cannot mend. */
  phase: z.enum(["connecting", "ready", "failed", "stopped"]),
  /** What stands in the way at the moment, or made it fail. A `connecting` proxy keeps trying. */
  failure: failureReport.optional(),
  connection: connectionFacts.optional(),
  /** Counted since the start; shown in the job's summary. */
  statistics: z.strictObject({
    streams: z.number(),
    bytesToCluster: z.number(),
    bytesFromCluster: z.number(),
    /** Established streams that were lost and therefore reset. */
    lostStreams: z.number(),
    /** Connections that the local responder answered with 503. */
    answeredLocally: z.number(),
    linksLost: z.number(),
  }),
});
export type ControlStatus = z.infer<typeof controlStatus>;
