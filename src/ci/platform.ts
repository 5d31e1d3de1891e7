/** The port behind which a CI system stands: only what differs between them. */
import type { TokenSourceSpec } from "../credentials/token-source-spec";
import type { ClusterConnectError } from "../runtime/errors";

export interface PlatformLog {
  debug(line: string): void;
  info(line: string): void;
  /** Shown with the job's results, as are warnings. */
  notice(line: string): void;
  warning(line: string): void;
  startGroup(title: string): void;
  endGroup(): void;
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
  /** Where the job keeps temporary files, and its environment as this step sees it. */
  readonly job: {
    readonly tempDirectory: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
  };
  /** How identity tokens for `audience` are obtained. Throws ERR_CI_OIDC_NOT_PERMITTED. */
  identityToken(audience: string): TokenSourceSpec;
  writeSummary(markdown: string): Promise<void>;
}
