/** The running node, as the suite uses it. */
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { adminRequest } from "./admin-request";
import { authenticationConfiguration, nobodyMore } from "./apiserver";
import { auditEnd, readAudit, type AuditedUser, type AuditEvent } from "./audit";
import { run, mustRun, type CommandOptions, type CommandResult } from "./command";
import { killComponent, startComponent } from "./component";
import { eventually } from "./deadline";
import { importImage } from "./import-image";
import { apiserverReady, canRunPods } from "./readiness";
import { readState, stateVariable, writeState, type ComponentName, type NodeState } from "./state";

export { busyboxImage } from "./base-images";
export { serviceAccountIssuer } from "./apiserver";
export { eventually } from "./deadline";
export { mustRun, run, type CommandOptions, type CommandResult } from "./command";
export type { AuditedUser, AuditEvent } from "./audit";
export type { ComponentName } from "./state";

export interface ClusterNode {
  /** Paths, addresses, version: what does not change while the node runs. */
  readonly state: Omit<NodeState, "components">;
  readonly kubeconfig: string;
  readonly programs: { readonly kubectl: string; readonly helm: string; readonly python: string };
  /** Runs to the end, whatever the exit code; straight to the apiserver unless `env` names another KUBECONFIG. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  helm(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a line as an administrator would type it, with `kubectl` and `helm` on PATH; throws if it fails. */
  shell(line: string): Promise<string>;
  /** Makes or changes objects as the administrator. */
  apply(...objects: readonly object[]): Promise<void>;
  importImage(archive: string): Promise<void>;
  /** The key set that verifies the cluster's service-account tokens. */
  serviceAccountKeys(): Promise<{ keys: Record<string, unknown>[] }>;
  /** A mark for `audit`. */
  auditEnd(): number;
  audit(from?: number): AuditEvent[];
  pid(name: ComponentName): number;
  /** Program and flags that it runs with. */
  command(name: ComponentName): readonly string[];
  kill(name: ComponentName, signal?: NodeJS.Signals): Promise<void>;
  start(name: ComponentName): Promise<void>;
  /** Kills it, starts it, and waits until pods can be made again. */
  restart(name: ComponentName): Promise<void>;
  ready(): Promise<void>;
  /** Restarts the apiserver with this AuthenticationConfiguration; without one, as it was at first. */
  authenticateBy(configuration?: object): Promise<void>;
  /** Whom the apiserver takes the bearer of a token for: the status of a TokenReview. */
  reviewToken(token: string): Promise<TokenReviewStatus>;
}

export interface TokenReviewStatus {
  readonly authenticated?: boolean;
  readonly error?: string;
  readonly user?: AuditedUser & { readonly uid?: string };
}

/** Throws where there is no node: this suite is run by `npm run test:cluster`. */
export function attachNode(): ClusterNode {
  const file = process.env[stateVariable];
  if (file === undefined) throw new Error(`${stateVariable} is not set: run \`npm run test:cluster\``);
  const { components: _, ...state } = readState(file);
  const { kubectl, helm } = state.binaries;
  const direct = ({ env, ...rest }: CommandOptions = {}): CommandOptions => ({
    timeoutMs: 120_000,
    ...rest,
    env: { ...process.env, KUBECONFIG: state.kubeconfig, ...env },
  });
  const ready = async () => {
    await apiserverReady(state.kubeconfig);
    await canRunPods(state.kubeconfig);
  };
  const processes = componentControl(file);
  const restart = async (name: ComponentName) => {
    await processes.kill(name);
    await processes.start(name);
    await eventually(`the node ready after a restart of ${name}`, 60_000, () => ready().then(() => true));
  };
  return {
    state,
    kubeconfig: state.kubeconfig,
    programs: { kubectl, helm, python: state.python },
    kubectl: (args, options) => run(kubectl, args, direct(options)),
    helm: (args, options) => run(helm, args, direct(options)),
    shell(line) {
      const programs = [dirname(kubectl), dirname(helm), process.env["PATH"] ?? ""];
      return mustRun("bash", ["-euo", "pipefail", "-c", line], direct({ env: { PATH: programs.join(":") } }));
    },
    async apply(...objects) {
      const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
      await mustRun(kubectl, ["apply", "--server-side", "--force-conflicts", "-f", "-"], direct({ input }));
    },
    importImage: (archive) => importImage(state.init, archive),
    async serviceAccountKeys() {
      const text = await mustRun(kubectl, ["get", "--raw", "/openid/v1/jwks"], direct());
      return JSON.parse(text) as { keys: Record<string, unknown>[] };
    },
    auditEnd: () => auditEnd(state.auditLog),
    audit: (from) => readAudit(state.auditLog, from),
    ...processes,
    restart,
    ready,
    async authenticateBy(configuration = nobodyMore) {
      writeFileSync(authenticationConfiguration(state), JSON.stringify(configuration));
      await restart("kube-apiserver");
    },
    async reviewToken(token) {
      const { body } = await adminRequest(state.kubeconfig, "/apis/authentication.k8s.io/v1/tokenreviews", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token },
      });
      return (JSON.parse(body) as { status: TokenReviewStatus }).status;
    },
  };
}

/** What another test file has restarted is found in the state file, not in this process. */
function componentControl(file: string) {
  const component = (name: ComponentName) => readState(file).components[name];
  return {
    pid: (name: ComponentName) => component(name).pid,
    command: (name: ComponentName) => component(name).argv,
    // A polite end may wait a minute for open watches.
    kill: (name: ComponentName, signal: NodeJS.Signals = "SIGKILL") =>
      killComponent(component(name).pid, signal),
    async start(name: ComponentName) {
      const state = readState(file);
      const pid = await startComponent(state.init, component(name));
      writeState(file, {
        ...state,
        components: { ...state.components, [name]: { ...component(name), pid } },
      });
    },
  };
}
