/** The client proxy: link, local listener, proof of readiness, credential and kubeconfig, in one life. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createTokenSource } from "../credentials/create-token-source";
import { RenewingToken } from "../credentials/renewing-token";
import { createSasToken } from "../hybrid-connections/sas-token";
import type { AgentHello } from "../protocol/hello";
import { serverNameOf } from "../protocol/server-name";
import { createBackoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { asClusterConnectError, ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { Shutdown } from "../runtime/shutdown";
import { productVersion } from "../runtime/version";
import { decideTrust, parseClusterCa, type ClusterTrust } from "./cluster-trust";
import { kubeconfigFile, type ControlStatus, type StartRequest } from "./control";
import { credentialCommand, writeExecCredential } from "./credential-file";
import { renderKubeconfig } from "./kubeconfig";
import { LocalListener } from "./local-listener";
import { Phase } from "./phase";
import { replacePrivateFile } from "./private-file";
import { proveConnection } from "./proof";
import { createRelayDial } from "./relay-dial";
import { RelayLink } from "./relay-link";
import { isPermanent } from "./relay-failure";
import { Responder } from "./responder";
import { createResponderCertificate } from "./responder-certificate";
import { createStatistics } from "./statistics";
import { Timings } from "./timings";

const signatureLifetimeMs = 3_600_000;
const tokenAttempts = 4;
const stopStepMs = 2_000;
const outages: ReadonlySet<string> = new Set(["ERR_OIDC_UNREACHABLE", "ERR_ENTRA_UNREACHABLE"]);

export class ClientProxy {
  readonly phase = new Phase();
  readonly statistics = createStatistics();
  readonly #timings = new Timings();
  readonly #stopping = new AbortController();
  readonly #shutdown: Shutdown;
  readonly #serverName: string;
  readonly #files: { readonly credential: string; readonly kubeconfig: string };
  #trust: ClusterTrust | undefined;
  #starting: Promise<void> | undefined;
  #proving: Promise<void> | undefined;
  #clusterToken: RenewingToken | undefined;
  #port = 0;
  #responderCa = "";

  constructor(
    private readonly request: StartRequest,
    private readonly logger: Logger,
  ) {
    this.#shutdown = new Shutdown(logger);
    this.#serverName = serverNameOf(request.cluster);
    this.#files = {
      credential: join(request.instanceDirectory, "credential.json"),
      kubeconfig: join(request.instanceDirectory, kubeconfigFile),
    };
  }

  /** Begins to connect; resolves when everything local is up. What goes wrong shows in `phase`. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    try {
      parseClusterCa(this.request.clusterCa);
      const certificate = createResponderCertificate(this.#serverName);
      const authorization = await this.#startTokens();
      this.#timings.mark("token");
      await this.#startLocal(await certificate, authorization);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#report(asClusterConnectError(error, "client proxy"), true);
    }
  }

  status(): ControlStatus {
    const { current, failure, connection } = this.phase;
    return {
      phase: current,
      ...(failure === undefined
        ? {}
        : { failure: { code: failure.code, detail: failure.detail, hop: failure.hop } }),
      ...(connection === undefined ? {} : { connection }),
      statistics: { ...this.statistics },
    };
  }

  /** Stops in reverse order and removes the files that it made. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopping"));
    await this.#shutdown.run(stopStepMs);
    // It may have been in the middle of starting; what it has added since is undone too.
    await this.#starting;
    await this.#shutdown.run(stopStepMs);
    await this.#proving;
    await Promise.all(Object.values(this.#files).map((path) => rm(path, { force: true })));
    this.phase.stopped();
  }

  /** Starts both tokens; returns what to show the relay. */
  async #startTokens(): Promise<() => Promise<string>> {
    const { relay, cluster, clusterCredential } = this.request;
    const clusterToken = this.#createToken(clusterCredential);
    this.#clusterToken = clusterToken;
    const { credential } = relay;
    if (credential.kind === "sas") {
      await this.#startToken(clusterToken);
      const { keyName, key } = credential;
      const target = { relay: new URL(relay.url), entity: cluster, keyName, key };
      return () => Promise.resolve(createSasToken({ ...target, lifetimeMs: signatureLifetimeMs }));
    }
    const relayToken = this.#createToken(credential);
    await Promise.all([this.#startToken(clusterToken), this.#startToken(relayToken)]);
    return () => Promise.resolve(relayToken.current().value);
  }

  #createToken(spec: Parameters<typeof createTokenSource>[0]): RenewingToken {
    const token = new RenewingToken({ source: createTokenSource(spec), logger: this.logger });
    this.#shutdown.add("token", () => token.stop());
    return token;
  }

  /** An issuer that cannot be reached is asked again; one that refuses is believed. */
  async #startToken(token: RenewingToken): Promise<void> {
    const backoff = createBackoff({ firstMs: [200, 400] });
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await token.start();
      } catch (error) {
        const failure = asClusterConnectError(error, "client proxy");
        if (!outages.has(failure.code) || attempt === tokenAttempts) throw failure;
        this.#report(failure);
        await delay(backoff.nextMs(), this.#stopping.signal);
      }
    }
  }

  async #startLocal(
    certificate: Awaited<ReturnType<typeof createResponderCertificate>>,
    authorization: () => Promise<string>,
  ): Promise<void> {
    const { relay, cluster, listen, maxStreams } = this.request;
    this.#responderCa = certificate.caPem;
    const link = new RelayLink({
      cluster,
      client: productVersion,
      dial: createRelayDial({ relayUrl: new URL(relay.url), cluster, authorization, caPem: relay.caPem }),
      maxStreams,
      logger: this.logger,
      onHello: (hello) => this.#onHello(hello),
      onFailure: (error) => this.#report(error),
      onLost: () => (this.statistics.linksLost += 1),
    });
    const responder = new Responder(certificate, () => this.#missing(link));
    this.#shutdown.add("responder", () => responder.close());
    const { statistics, logger } = this;
    const listener = new LocalListener({ ...listen, link, responder, statistics, logger });
    this.#port = await listener.start();
    this.#shutdown.add("link", () => link.stop());
    this.#shutdown.add("listener", () => listener.close());
    link.start();
  }

  /** What the responder names: the link's trouble, or that the agent found nobody behind its socket. */
  #missing(link: RelayLink): ClusterConnectError {
    return link.isConnected ? new ClusterConnectError("ERR_AUTH_PROXY_UNREACHABLE") : link.failure;
  }

  #onHello(hello: AgentHello): void {
    const trust = decideTrust(hello.caBundle, this.request.clusterCa);
    if (this.#trust === undefined) {
      this.#trust = trust;
      this.#timings.mark("session");
      this.#proving = this.#prove(trust);
    } else if (trust.caBundle !== this.#trust.caBundle) {
      // kubectl goes on trusting the first one: a CA that changes under way is not taken on the relay's word.
      this.logger.warn("cluster.ca_changed", { first: this.#trust.pins, now: trust.pins });
    }
  }

  async #prove(trust: ClusterTrust): Promise<void> {
    const backoff = createBackoff({ firstMs: [100, 200], maxMs: 2_000 });
    const { signal } = this.#stopping;
    while (!signal.aborted && this.phase.current === "connecting") {
      try {
        return await this.#proveOnce(trust);
      } catch (error) {
        if (signal.aborted) return;
        const failure = asClusterConnectError(error, "client proxy");
        this.#report(failure);
        if (isPermanent(failure) && this.phase.current !== "connecting") return;
        await delay(backoff.nextMs(), signal).catch(() => undefined);
      }
    }
  }

  async #proveOnce(trust: ClusterTrust): Promise<void> {
    const { cluster, contextName, namespace } = this.request;
    const token = this.#clusterToken as RenewingToken;
    const server = `https://127.0.0.1:${String(this.#port)}`;
    const caBundle = trust.caBundle + this.#responderCa;
    const proof = await proveConnection({
      server: new URL(server),
      tlsServerName: this.#serverName,
      caBundle,
      token: token.current().value,
      namespace: namespace ?? "default",
      signal: this.#stopping.signal,
    });
    this.#timings.mark("proof");
    await this.#keepCredential(token);
    const entry = {
      name: contextName,
      server,
      tlsServerName: this.#serverName,
      caBundle,
      namespace,
      credentialCommand: credentialCommand(this.#files.credential),
    };
    await replacePrivateFile(this.#files.kubeconfig, renderKubeconfig(entry));
    this.#timings.mark("kubeconfig");
    this.logger.info("connected", { cluster, identity: proof.identity, version: proof.serverVersion });
    this.phase.ready({
      ...proof,
      server,
      contextName,
      kubeconfigPath: this.#files.kubeconfig,
      caPins: [...trust.pins],
      caPinned: trust.isPinned,
      timingsMs: this.#timings.elapsed(),
    });
  }

  async #keepCredential(token: RenewingToken): Promise<void> {
    // It may be renewed while it is being written: the file must not begin with one that is over.
    let written;
    do {
      written = token.current();
      await writeExecCredential(this.#files.credential, written);
    } while (written !== token.current());
    token.onRenewed((renewed) => {
      writeExecCredential(this.#files.credential, renewed).catch((error: unknown) => {
        this.logger.error("credential.write_failed", { reason: messageOf(error) });
      });
    });
  }

  #report(error: ClusterConnectError, isFinal = false): void {
    this.logger.warn("connect.failed", { code: error.code, reason: error.message });
    this.phase.report(error, isFinal);
  }
}
