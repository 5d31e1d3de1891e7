/** The client proxy: backend, local listener, proof of readiness and kubeconfig, in one life. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createBackoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { asClusterConnectError, messageOf, type ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { Shutdown } from "../runtime/shutdown";
import type { Backend, BackendEvents, ClusterEnd } from "./backend";
import { kubeconfigFile, type ControlStatus, type StartRequest } from "./control";
import { createBackend } from "./create-backend";
import { renderKubeconfig } from "./kubeconfig";
import { LocalListener } from "./local-listener";
import { isPermanent } from "./permanent-failures";
import { Phase } from "./phase";
import { replacePrivateFile } from "./private-file";
import { proveConnection, type Proof } from "./proof";
import { Responder } from "./responder";
import { createResponderCertificate, type ResponderCertificate } from "./responder-certificate";
import { createStatistics } from "./statistics";
import { Timings } from "./timings";

const stopStepMs = 2_000;

export class ClientProxy implements BackendEvents {
  readonly phase = new Phase();
  readonly statistics = createStatistics();
  readonly #timings = new Timings();
  readonly #stopping = new AbortController();
  readonly #shutdown: Shutdown;
  readonly #backend: Backend;
  readonly #files: { readonly kubeconfig: string; readonly ca: string };
  #end: ClusterEnd | undefined;
  #starting: Promise<void> | undefined;
  #proving: Promise<void> | undefined;
  #port = 0;
  #responderCa = "";

  constructor(
    private readonly request: StartRequest,
    private readonly logger: Logger,
  ) {
    this.#shutdown = new Shutdown(logger);
    this.#backend = createBackend(request, logger, this);
    this.#files = {
      kubeconfig: join(request.instanceDirectory, kubeconfigFile),
      ca: join(request.instanceDirectory, "ca.pem"),
    };
  }

  /** Begins to connect; resolves when everything local is up. What goes wrong shows in `phase`. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    try {
      await this.#startLocal(await createResponderCertificate(this.#backend.serverName));
      await this.#backend.start();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.onFailure(asClusterConnectError(error, "client proxy"), true);
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

  // What the backend tells.

  onReachable(end: ClusterEnd): void {
    const isFirst = this.#end === undefined;
    this.#end = end;
    if (isFirst) this.#proving = this.#prove();
    else if (this.phase.connection !== undefined) {
      // Clients that start from now on read the new one.
      this.#writeFiles(end).catch((error: unknown) => {
        this.logger.error("kubeconfig.write_failed", { reason: messageOf(error) });
      });
    }
  }

  onFailure(error: ClusterConnectError, isFinal = false): void {
    this.logger.warn("connect.failed", { code: error.code, reason: error.message });
    this.phase.report(error, isFinal);
  }

  onLost(): void {
    this.statistics.linksLost += 1;
  }

  onPhase(name: string): void {
    if (this.phase.current === "connecting") this.#timings.mark(name);
  }

  async #startLocal(certificate: ResponderCertificate): Promise<void> {
    this.#responderCa = certificate.caPem;
    const responder = new Responder(certificate, () => this.#backend.failure);
    this.#shutdown.add("responder", () => responder.close());
    this.#shutdown.add("backend", () => this.#backend.stop());
    const { statistics, logger } = this;
    const listener = new LocalListener({
      ...this.request.listen,
      backend: this.#backend,
      responder,
      statistics,
      logger,
    });
    this.#port = await listener.start();
    this.#shutdown.add("listener", () => listener.close());
  }

  async #prove(): Promise<void> {
    const backoff = createBackoff({ firstMs: [100, 200], maxMs: 2_000 });
    const { signal } = this.#stopping;
    while (!signal.aborted && this.phase.current === "connecting") {
      try {
        return await this.#proveOnce(this.#end as ClusterEnd);
      } catch (error) {
        if (signal.aborted) return;
        const failure = asClusterConnectError(error, "client proxy");
        this.onFailure(failure);
        if (isPermanent(failure) && this.phase.current !== "connecting") return;
        await delay(backoff.nextMs(), signal).catch(() => undefined);
      }
    }
  }

  async #proveOnce(end: ClusterEnd): Promise<void> {
    const proof = await proveConnection({
      server: this.#serverOf(end),
      tlsServerName: end.tlsServerName,
      caBundle: end.caBundle + this.#responderCa,
      credential: end.credential(),
      explainRefusal: (refusal) => end.explainRefusal(refusal),
      namespace: this.request.namespace ?? "default",
      signal: this.#stopping.signal,
    });
    this.#timings.mark("proof");
    await this.#writeFiles(end);
    this.#timings.mark("kubeconfig");
    this.#ready(proof, end);
  }

  #ready(proof: Proof, end: ClusterEnd): void {
    const { cluster, contextName } = this.request;
    this.logger.info("connected", { cluster, identity: proof.identity, version: proof.serverVersion });
    this.phase.ready({
      ...proof,
      server: this.#serverOf(end),
      contextName,
      kubeconfigPath: this.#files.kubeconfig,
      caPins: [...end.caPins],
      caPinned: end.isPinned,
      timingsMs: this.#timings.elapsed(),
    });
  }

  #serverOf = ({ serverPath }: ClusterEnd): string => `https://127.0.0.1:${String(this.#port)}${serverPath}`;

  async #writeFiles(end: ClusterEnd): Promise<void> {
    const { contextName, namespace } = this.request;
    const pem = end.caBundle + this.#responderCa;
    if (end.caSource === "file") await replacePrivateFile(this.#files.ca, pem);
    const text = renderKubeconfig({
      name: contextName,
      server: this.#serverOf(end),
      tlsServerName: end.tlsServerName,
      ca: end.caSource === "file" ? { kind: "file", path: this.#files.ca } : { kind: "pem", pem },
      namespace,
      user: end.user,
    });
    await replacePrivateFile(this.#files.kubeconfig, text);
  }
}
