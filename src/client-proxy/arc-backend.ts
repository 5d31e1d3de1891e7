/** The way through Azure Arc: connections go to Microsoft's arcProxy, which is kept running for it. */
import { join } from "node:path";
import { ArcConnection, type ArcEnd } from "../arc/arc-connection";
import type { ArcSettings, ArmSignIn } from "../arc/arc-settings";
import { explainArcRefusal } from "../arc/cluster-refusal";
import { createTokenSource } from "../credentials/create-token-source";
import type { ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { Backend, BackendEvents, ClusterEnd, ProofCredential, StreamOpener } from "./backend";
import { arcProxyFolder, arcProxyLogFile, type ArcBackendRequest, type StartRequest } from "./control";
import type { KubeconfigUser } from "./kubeconfig";
import { SocketStream } from "./socket-stream";

export class ArcBackend implements Backend {
  /** arcProxy is on loopback itself. */
  readonly serverName = undefined;
  readonly #connection: ArcConnection;
  #told: string | undefined;
  #streams = 0;

  constructor(
    request: StartRequest & { readonly backend: ArcBackendRequest },
    logger: Logger,
    private readonly events: BackendEvents,
  ) {
    this.#connection = new ArcConnection(settingsOf(request), logger, {
      onRegistered: (end) => this.#onRegistered(end),
      onFailure: (error) => events.onFailure(error),
      onLost: () => events.onLost(),
      onPhase: (name) => events.onPhase(name),
    });
  }

  start(): Promise<void> {
    this.#connection.start();
    return Promise.resolve();
  }

  stop = (): Promise<void> => this.#connection.stop();

  get failure(): ClusterConnectError {
    return this.#connection.failure;
  }

  async session(ms: number): Promise<StreamOpener | undefined> {
    const target = await this.#connection.target(ms);
    if (target === undefined) return undefined;
    const { port, abandon } = target;
    return { open: () => new SocketStream({ id: (this.#streams += 1), port, onRefused: abandon }) };
  }

  /** Each renewal registers anew; what has not changed is not told again. */
  #onRegistered(arc: ArcEnd): void {
    const end = this.#endOf(arc);
    const { serverPath, tlsServerName, caBundle, user } = end;
    const told = JSON.stringify([serverPath, tlsServerName, caBundle, user]);
    if (told === this.#told) return;
    this.#told = told;
    this.events.onReachable(end);
  }

  #endOf({ kubeconfig, certificate }: ArcEnd): ClusterEnd {
    const { serverPath, caPem, tlsServerName, user } = kubeconfig;
    return {
      serverPath,
      tlsServerName: tlsServerName ?? certificate.serverName,
      // Where it wants nobody to verify its certificate, the one that it has shown is pinned.
      caBundle: `${caPem ?? certificate.pem}\n`,
      caSource: "file",
      caPins: [],
      isPinned: true,
      user,
      credential: () => credentialOf(user),
      explainRefusal: (refusal) => explainArcRefusal(refusal, this.#connection.claims),
    };
  }
}

/** What arcProxy's kubeconfigs are known to hold; with anything else the proof comes without a credential. */
function credentialOf(user: KubeconfigUser): ProofCredential {
  return typeof user["token"] === "string" ? { authorization: `Bearer ${user["token"]}` } : {};
}

function settingsOf(request: StartRequest & { readonly backend: ArcBackendRequest }): ArcSettings {
  const { instanceDirectory, cluster, backend, logLevel } = request;
  const { subscriptionId, resourceGroup, cloud, tenantId, program, serviceAccount } = backend;
  return {
    cluster: { subscriptionId, resourceGroup, name: cluster },
    cloud,
    tenantId,
    signIn: signInOf(backend.signIn),
    serviceAccount: serviceAccount === undefined ? undefined : createTokenSource(serviceAccount),
    program,
    folder: join(instanceDirectory, arcProxyFolder),
    logFile: join(instanceDirectory, arcProxyLogFile),
    isDebug: logLevel === "debug",
  };
}

function signInOf(signIn: ArcBackendRequest["signIn"]): ArmSignIn {
  switch (signIn.kind) {
    case "token":
      return { kind: "token", source: createTokenSource(signIn.source) };
    case "assertion": {
      const credential = { kind: "assertion", source: createTokenSource(signIn.assertion) } as const;
      return { kind: "application", clientId: signIn.clientId, credential };
    }
    case "secret":
    case "certificate": {
      const { clientId, ...credential } = signIn;
      return { kind: "application", clientId, credential };
    }
  }
}
