/** A job of a CI system, as the tests see it: what runner and agent have in common. */
import type { ProcessEnd } from "./fake-runner/run-process";

/** A line that the CI system has carried out: `error`, `warning`, `debug`, `group`, … by GitHub's names. */
export interface CiCommand {
  readonly command: string;
  readonly message: string;
}

export interface StepResult extends ProcessEnd {
  /** What the CI system takes the step for. */
  readonly result: "succeeded" | "failed";
  readonly stdout: string;
  /** Its output without the commands that mask a secret: nothing secret may be in it. */
  readonly unmasked: string;
  /** What the job's log shows of it. */
  readonly log: string;
  readonly commands: CiCommand[];
  /** By GitHub's names. */
  readonly outputs: Record<string, string>;
  readonly summary: string;
  /** From start to the end of its output, which the CI system waits for. */
  readonly durationMs: number;
  errors(): string[];
  warnings(): string[];
  notices(): string[];
}

export interface JobOptions {
  /** Mints a token of the job's identity. */
  readonly mint: (audience: string) => Promise<string>;
  /** Whether the job may request identity tokens. */
  readonly idToken?: boolean;
  readonly node?: string;
  readonly env?: Record<string, string>;
  /** A folder below the job's own for temporary files, instead of `_temp`. */
  readonly tempName?: string;
}

export interface RunOptions {
  /** Resolves when the step is cancelled. */
  readonly cancelAfter?: Promise<unknown>;
  /** Not cancelled but killed, as by the kernel for want of memory. */
  readonly kill?: boolean;
  readonly env?: Record<string, string>;
}

export interface JobIdentity {
  /** What lets the job request tokens. */
  readonly requestToken: string;
  /** Of every token that was issued for relay or cluster, in order. */
  readonly audiences: string[];
  /** When set, every request for an identity token is answered with it. */
  failingStatus: number | undefined;
}

export interface CiJob {
  readonly folder: string;
  readonly temp: string;
  readonly identity: JobIdentity;
  /** The environment that later steps see. */
  readonly environment: Record<string, string>;
  /** Runs a stage of a step; stages of the same step share state. Inputs go by GitHub's names. */
  run(
    step: string,
    bundle: string,
    inputs: Readonly<Record<string, string>>,
    options?: RunOptions,
  ): Promise<StepResult>;
  /** What main has left for post of a step. */
  stateOf(step: string): Readonly<Record<string, string>>;
  leftoverProcesses(): number[];
  /** Below the folder for temporary files, without what the CI system keeps there for itself. */
  leftoverFiles(): string[];
  /** What the CI system does at the job's end: it kills what carries the job's tracking id. Returns their ids. */
  sweep(): number[];
  close(): Promise<void>;
}
