/** The port behind which a CI system stands: only what differs between them. */
import type { TokenSourceSpec } from "../credentials/token-source-spec";
import type { ClusterConnectError } from "../runtime/errors";

/**
 * One line each. Text may come from elsewhere (a cluster's name, another process's log): an implementation passes it
 * through `plainText`, so that no caller can forget to.
 */
export interface PlatformLog {
  debug(line: string): void;
  info(line: string): void;
  /** Shown with the job's results, as are warnings. */
  notice(line: string): void;
  warning(line: string): void;
  startGroup(title: string): void;
  endGroup(): void;
}

export interface JobFacts {
  /** Where the job keeps temporary files. */
  readonly tempDirectory: string;
  /** The environment as this step sees it, its own exports included. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the job was run again to find a fault. */
  readonly isDebug: boolean;
}

export interface CiPlatform {
  /** An input's text, trimmed; empty when it was not given. */
  readInput(name: string): string;
  setOutput(name: string, value: string): void;
  /** Sets an environment variable for the steps that follow. An empty value is as near to unsetting as there is. */
  exportVariable(name: string, value: string): void;
  /** Hides a value, and each of its lines, from every log from now on. */
  maskSecret(value: string): void;
  /** What main leaves for post of the same step; nothing secret. */
  readonly state: { save(name: string, value: string): void; read(name: string): string };
  readonly log: PlatformLog;
  /** Ends the step as failed, with one annotation. */
  fail(error: ClusterConnectError): void;
  readonly job: JobFacts;
  /** How identity tokens for `audience` are obtained. Throws an ERR_CI_OIDC_… when the job may not. */
  identityToken(audience: string): TokenSourceSpec;
  /** Adds Markdown to the job's summary, where the system has one. */
  writeSummary(markdown: string): Promise<void>;
}
