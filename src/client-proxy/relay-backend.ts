/** The way through our own relay: tokens for relay and cluster, the link, the cluster's CA, the exec credential. */
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
import { productVersion } from "../runtime/version";
import type { Backend, BackendEvents, StreamOpener } from "./backend";
import { explainClusterRefusal } from "./cluster-refusal";
import { decideTrust, parseClusterCa, type ClusterTrust } from "./cluster-trust";
import type { RelayBackendRequest, StartRequest } from "./control";
import { credentialCommand, writeExecCredential } from "./credential-file";
import { createRelayDial } from "./relay-dial";
import { RelayLink } from "./relay-link";

const signatureLifetimeMs = 3_600_000;
const tokenAttempts = 4;
const outages: ReadonlySet<string> = new Set(["ERR_OIDC_UNREACHABLE", "ERR_ENTRA_UNREACHABLE"]);

export class RelayBackend implements Backend {
  readonly serverName: string;
  readonly #stopping = new AbortController();
  readonly #tokens: RenewingToken[] = [];
  readonly #clusterToken: RenewingToken;
  readonly #credentialFile: string;
  #link: RelayLink | undefined;
  #trust: ClusterTrust | undefined;

  constructor(
    private readonly request: StartRequest & { readonly backend: RelayBackendRequest },
    private readonly logger: Logger,
    private readonly events: BackendEvents,
  ) {
    this.serverName = serverNameOf(request.cluster);
    this.#credentialFile = join(request.instanceDirectory, "credential.json");
    this.#clusterToken = this.#createToken(request.backend.clusterCredential);
  }

  async start(): Promise<void> {
    parseClusterCa(this.request.backend.clusterCa);
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    const authorization = await this.#startTokens();
    signal.throwIfAborted();
    this.events.onPhase("token");
    const { cluster, backend } = this.request;
    const { url, caPem, maxStreams } = backend;
    this.#link = new RelayLink({
      cluster,
      client: productVersion,
      dial: createRelayDial({ relayUrl: new URL(url), cluster, authorization, caPem }),
      maxStreams,
      logger: this.logger,
      onHello: (hello) => this.#onHello(hello),
      onFailure: (error) => this.events.onFailure(error),
      onLost: () => this.events.onLost(),
    });
    this.#link.start();
  }

  session = (ms: number): Promise<StreamOpener | undefined> =>
    this.#link?.session(ms) ?? Promise.resolve(undefined);

  /** The link's trouble, or that the agent found nobody behind its socket. */
  get failure(): ClusterConnectError {
    if (this.#link?.isConnected === true) return new ClusterConnectError("ERR_AUTH_PROXY_UNREACHABLE");
    return (
      this.#link?.failure ?? new ClusterConnectError("ERR_RELAY_UNREACHABLE", "the tokens are being obtained")
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopping"));
    await this.#link?.stop();
    await Promise.all(this.#tokens.map((token) => token.stop()));
    await rm(this.#credentialFile, { force: true });
  }

  /** Starts both tokens; returns what to show the relay. */
  async #startTokens(): Promise<() => Promise<string>> {
    const { cluster, backend } = this.request;
    const { url, credential } = backend;
    if (credential.kind === "sas") {
      await this.#startToken(this.#clusterToken);
      const { keyName, key } = credential;
      const target = { relay: new URL(url), entity: cluster, keyName, key };
      return () => Promise.resolve(createSasToken({ ...target, lifetimeMs: signatureLifetimeMs }));
    }
    const relayToken = this.#createToken(credential);
    await Promise.all([this.#startToken(this.#clusterToken), this.#startToken(relayToken)]);
    return () => Promise.resolve(relayToken.current().value);
  }

  #createToken(spec: Parameters<typeof createTokenSource>[0]): RenewingToken {
    const token = new RenewingToken({ source: createTokenSource(spec), logger: this.logger });
    this.#tokens.push(token);
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
        this.events.onFailure(failure);
        await delay(backoff.nextMs(), this.#stopping.signal);
      }
    }
  }

  #onHello(hello: AgentHello): void {
    const trust = decideTrust(hello.caBundle, this.request.backend.clusterCa);
    if (this.#trust === undefined) {
      this.#trust = trust;
      this.events.onPhase("session");
      this.#announce(trust).catch((error: unknown) => {
        this.events.onFailure(asClusterConnectError(error, "client proxy"), true);
      });
    } else if (trust.caBundle !== this.#trust.caBundle) {
      // kubectl goes on trusting the first one: a CA that changes under way is not taken on the relay's word.
      this.logger.warn("cluster.ca_changed", { first: this.#trust.pins, now: trust.pins });
    }
  }

  async #announce(trust: ClusterTrust): Promise<void> {
    await this.#keepCredential();
    if (this.#stopping.signal.aborted) return;
    const [command = "", ...args] = credentialCommand(this.#credentialFile);
    this.events.onReachable({
      serverPath: "",
      tlsServerName: this.serverName,
      caBundle: trust.caBundle,
      caSource: "pem",
      caPins: trust.pins,
      isPinned: trust.isPinned,
      user: {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1",
          command,
          args,
          interactiveMode: "Never",
          provideClusterInfo: false,
        },
      },
      credential: () => ({ authorization: `Bearer ${this.#clusterToken.current().value}` }),
      explainRefusal: (refusal) => explainClusterRefusal(refusal, this.#clusterToken.current().value),
    });
  }

  async #keepCredential(): Promise<void> {
    const token = this.#clusterToken;
    // It may be renewed while it is being written: the file must not begin with one that is over.
    let written;
    do {
      written = token.current();
      await writeExecCredential(this.#credentialFile, written);
    } while (written !== token.current());
    token.onRenewed((renewed) => {
      writeExecCredential(this.#credentialFile, renewed).catch((error: unknown) => {
        this.logger.error("credential.write_failed", { reason: messageOf(error) });
      });
    });
  }
}
