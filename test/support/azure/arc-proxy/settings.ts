/** What a stand-in for arcProxy is made with, and what it leaves for the test to read. */

import { createHash } from "node:crypto";

/** Whom a service account's token stands for, where nothing but the token is known of it. */
export const accountOf = (token: string): string =>
  `system:serviceaccount:${createHash("sha256").update(token).digest("hex").slice(0, 12)}`;

/** Where its requests go in the end. */
export type Upstream =
  /** Straight to an apiserver, with the caller impersonated. */
  | { readonly kind: "direct"; readonly url: string; readonly caPem: string }
  /** Through relay, agent and auth proxy of this project, with the caller's own token. */
  | {
      readonly kind: "tunnel";
      readonly relayUrl: string;
      readonly relayCaPem: string;
      readonly cluster: string;
    };

export interface StandInSettings {
  /** Holds `faults.json` and `events.jsonl`. */
  readonly folder: string;
  readonly upstream: Upstream;
  /** Whether its kubeconfig has a CA, or wants that its certificate is not verified. */
  readonly kubeconfig: "ca" | "insecure";
  /** What the certificate is for. */
  readonly names: readonly string[];
  /** The relay's host, as `relay` and the cloud's suffix make it. */
  readonly relayHost: string;
}

/** Looked at when they matter; counters go down as they are used up. */
export interface StandInFaults {
  readonly slowStartMs?: number;
  readonly exitAtStart?: number;
  /** So many times it makes itself another key just when it is given a token. */
  readonly rotateKeys?: number;
  readonly refuseRegisters?: number;
  /** No agent listens at the relay: each request is answered with the sentence that users know. */
  readonly agentGone?: boolean;
  /** Every request for the cluster is answered with this status. */
  readonly clusterStatus?: number;
  readonly ignoresSigterm?: boolean;
}

export type StandInEvent =
  | {
      readonly event: "started";
      readonly pid: number;
      readonly arguments: readonly string[];
      readonly environment: readonly string[];
      readonly config: Readonly<Record<string, unknown>>;
      readonly configMode: number;
    }
  | { readonly event: "token"; readonly at: number; readonly kid: string }
  | { readonly event: "registered"; readonly at: number; readonly expirationTime: number }
  | { readonly event: "request"; readonly target: string; readonly correlationId: string }
  /** Something that the real one is not known to take. */
  | { readonly event: "violation"; readonly what: string };
