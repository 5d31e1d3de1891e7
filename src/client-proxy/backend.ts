/**
 * The port behind which a way into a cluster stands: our own relay, or Azure Arc. Local listener, responder, proof,
 * kubeconfig, phases, counting and stopping are the client proxy's, and the same for both.
 */
import type { ClusterConnectError } from "../runtime/errors";
import type { TunnelStream } from "../tunnel/stream";
import type { CaSource, KubeconfigUser } from "./kubeconfig";

/** What takes connections at the moment. */
export interface StreamOpener {
  /** Throws when it takes no more. */
  open(): TunnelStream;
}

/** How the proof authenticates itself, as the kubeconfig's user would. */
export interface ProofCredential {
  /** The value of the Authorization header. */
  readonly authorization?: string;
}

/** A refusal of the very first request, as it came. */
export interface ClusterRefusal {
  readonly status: number;
  /** Of the Status body; empty when it was none. */
  readonly message: string;
  /** Reasons of the Status body's causes. */
  readonly causes: readonly string[];
}

/** What a kubeconfig needs to know of the cluster's end. */
export interface ClusterEnd {
  /** What stands between the server's address and the API's paths: "" or "/…". */
  readonly serverPath: string;
  /** What its certificate is checked for; undefined: the address itself. */
  readonly tlsServerName: string | undefined;
  /** PEM of the CAs that sign its certificate. */
  readonly caBundle: string;
  /** Whether the CAs are handed out by value, or as a file that may be replaced while clients live. */
  readonly caSource: CaSource["kind"];
  /** `sha256:…` of each, and whether they were compared with pins, or need not be. */
  readonly caPins: readonly string[];
  readonly isPinned: boolean;
  readonly user: KubeconfigUser;
  credential(): ProofCredential;
  explainRefusal(refusal: ClusterRefusal): ClusterConnectError;
}

export interface BackendEvents {
  /** The cluster's end can be asked now; again whenever it is another one than before. */
  onReachable(end: ClusterEnd): void;
  /** What stands in the way. `isFinal`: no attempt will follow. */
  onFailure(error: ClusterConnectError, isFinal?: boolean): void;
  /** What carried connections has gone. */
  onLost(): void;
  /** A phase of the start is over; its name is one of those in `ci/report.ts`. */
  onPhase(name: string): void;
}

export interface Backend {
  /** A name that the responder's certificate must have beside those of loopback. */
  readonly serverName: string | undefined;
  /** Resolves when it has begun to connect. What it throws is final. Begins nothing once `stop` has been called. */
  start(): Promise<void>;
  /** What takes new connections; waits at most `ms` for it. */
  session(ms: number): Promise<StreamOpener | undefined>;
  /** The hop that is missing, for whoever has to be answered here. */
  readonly failure: ClusterConnectError;
  /** Stops, and removes the files that it made. */
  stop(): Promise<void>;
}
