import type { AssertionSpec } from "../../src/credentials/token-source-spec";
import { inputs as inputTable, type CiSystem, type InputDefinition } from "../../src/ci/inputs";
import { plainText } from "../../src/ci/plain-text";
import type { CiPlatform, PlatformIdentity, PlatformLog } from "../../src/ci/platform";
import type { ClusterConnectError } from "../../src/runtime/errors";

export interface Line {
  readonly kind: "debug" | "info" | "notice" | "warning" | "group" | "end";
  readonly text: string;
}

export interface FakePlatformOptions {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly tempDirectory?: string;
  readonly environment?: Record<string, string | undefined>;
  readonly isDebug?: boolean;
  readonly system?: CiSystem;
}

/** A CI system in memory: everything that is done to it can be read back. */
export class FakePlatform implements CiPlatform {
  readonly outputs: Record<string, string> = {};
  readonly exported: [name: string, value: string][] = [];
  readonly masks: string[] = [];
  readonly lines: Line[] = [];
  readonly failures: ClusterConnectError[] = [];
  readonly summaries: string[] = [];
  readonly saved: Map<string, string>;
  /** What happened to state and variables, in order. */
  readonly trace: string[] = [];
  readonly job: CiPlatform["job"];
  readonly log: PlatformLog;
  readonly identity: PlatformIdentity;

  constructor(
    private readonly options: FakePlatformOptions = {},
    saved: ReadonlyMap<string, string> = new Map(),
  ) {
    this.saved = new Map(saved);
    const { tempDirectory = "/nowhere", environment = {}, isDebug = false, system = "github" } = options;
    this.job = {
      toolDirectory: undefined,
      system,
      tempDirectory,
      environment,
      isDebug,
    };
    const assertion = (audience: string): AssertionSpec => ({
      kind: "github-oidc",
      requestUrl: "https://identity.invalid/token",
      requestToken: "request-token",
      audience,
    });
    this.identity = {
      choosesAudience: system === "github",
      token: ({ audience }) => assertion(audience),
      entraClient: (login) => ({
        authority: "https://entra.invalid",
        tenantId: "tenant",
        clientId: login.kind === "application" ? login.clientId : login.id,
        assertion: assertion("api://AzureADTokenExchange"),
      }),
    };
    const add = (kind: Line["kind"]) => (text: string) =>
      void this.lines.push({ kind, text: plainText(text) });
    this.log = {
      debug: add("debug"),
      info: add("info"),
      notice: add("notice"),
      warning: add("warning"),
      startGroup: add("group"),
      endGroup: () => add("end")(""),
    };
  }

  /** The platform as the next stage of the same step meets it. */
  nextStage(): FakePlatform {
    return new FakePlatform(this.options, this.saved);
  }

  texts = (kind: Line["kind"]): string[] =>
    this.lines.filter((line) => line.kind === kind).map(({ text }) => text);

  /** As the runner does, with the manifest's default for what was not given. */
  readInput = (name: string): string => {
    const definition = (inputTable as Record<string, InputDefinition>)[name];
    return (this.options.inputs?.[name] ?? definition?.default ?? "").trim();
  };

  setOutput = (name: string, value: string): void => void (this.outputs[name] = value);

  exportVariable = (name: string, value: string): void => {
    this.trace.push(`export ${name}`);
    this.exported.push([name, value]);
    (this.job.environment as Record<string, string>)[name] = value;
  };

  maskSecret = (value: string): void => void this.masks.push(...value.split(/\r?\n/).filter(Boolean));

  readonly state = {
    save: (name: string, value: string): void => {
      this.trace.push(`save ${name}`);
      this.saved.set(name, value);
    },
    read: (name: string): string => this.saved.get(name) ?? "",
  };

  fail = (error: ClusterConnectError): void => void this.failures.push(error);

  writeSummary = (markdown: string): Promise<void> => {
    this.summaries.push(markdown);
    return Promise.resolve();
  };
}
