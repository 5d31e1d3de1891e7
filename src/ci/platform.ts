/** The port behind which a CI system stands: only what differs between them. */
import type { AssertionSpec } from "../credentials/token-source-spec";
import type { ClusterConnectError } from "../runtime/errors";
import type { CiSystem, InputName, OutputName } from "./inputs";

/**
 * One line each. Text may come from elsewhere (a cluster's name, another process's log): an implementation passes it
 * through `plainText`, so that no caller can forget to.
 */
export interface PlatformLog {
  debug(line: string): void;
  info(line: string): void;
  /** Shown with the job's results, as are warnings, where the system has such a thing. */
  notice(line: string): void;
  warning(line: string): void;
  startGroup(title: string): void;
  endGroup(): void;
}

export interface JobFacts {
  readonly system: CiSystem;
  /** Where the job keeps temporary files. */
  readonly tempDirectory: string;
  /** Where programs are kept from job to job, by name, version and platform; undefined where there is no such place. */
  readonly toolDirectory: string | undefined;
  /** The environment as this step sees it, its own exports included. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the job was run again to find a fault. */
  readonly isDebug: boolean;
}

export interface TokenRequest {
  /** Of no effect where the CI system fixes the audience. */
  readonly audience: string;
  readonly serviceConnection: string | undefined;
}

/** What a job may be known as at Microsoft Entra: named outright, or by the service connection that stands for it. */
export type EntraLogin =
  | {
      readonly kind: "application";
      readonly clientId: string;
      readonly tenantId: string;
      readonly authority: string;
    }
  | { readonly kind: "service-connection"; readonly id: string };

/** The application in Microsoft Entra that a job may be, and how it shows that it is. */
export interface EntraClient {
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly assertion: AssertionSpec;
}

/** Each throws an ERR_CI_OIDC_… or ERR_CI_SERVICE_CONNECTION when the job may not. */
export interface PlatformIdentity {
  /** Whether a token's audience can be chosen; where it cannot, two tokens are as good as one. */
  readonly choosesAudience: boolean;
  /** How identity tokens are obtained. */
  token(request: TokenRequest): AssertionSpec;
  entraClient(login: EntraLogin): EntraClient;
}

export interface CiPlatform {
  /** An input's text, trimmed; empty when it was not given. A secret one appears in no log on the way. */
  readInput(name: InputName): string;
  setOutput(name: OutputName, value: string): void;
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
  readonly identity: PlatformIdentity;
  /** Adds Markdown to the job's summary, where the system has one. */
  writeSummary(markdown: string): Promise<void>;
}
