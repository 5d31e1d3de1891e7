import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { startBundle, type BundleProcess } from "./bundle-process";
import { createTestCertificate } from "./certificate";
import { freePort } from "./free-port";
import { startIssuer, type TestIssuer } from "./issuer";

export const cluster = "plant-7";
/** Of the relay's key `ci`. */
export const clientKey = "c".repeat(44);
export const subject = "repo:octo/app:environment:production";

export interface StackOptions {
  readonly apiserver: { readonly url: string; readonly caPem: string };
  readonly node?: string;
  /** What relay and auth proxy both take as a token's audience, beside the one of each. */
  readonly sharedAudience?: string;
}

/** The whole way into a cluster as real processes from dist/: issuer, relay over TLS, auth proxy, agent. */
export class Stack {
  readonly folder = mkdtempSync(join(tmpdir(), "stack-"));
  relayUrl = "";
  relayCaPem = "";
  relay!: BundleProcess;
  authProxy!: BundleProcess;
  agent!: BundleProcess;

  private constructor(
    readonly issuer: TestIssuer,
    private readonly options: StackOptions,
  ) {}

  static async start(options: StackOptions): Promise<Stack> {
    const stack = new Stack(await startIssuer({ tls: true }), options);
    await stack.#prepare();
    await Promise.all([stack.startRelay(), stack.startAuthProxy()]);
    await stack.startAgent();
    return stack;
  }

  /** The first of the auth proxy's CA pins. */
  get clusterCa(): string {
    return (this.authProxy.ready["caPins"] as string[])[0]!;
  }

  async startRelay(): Promise<void> {
    this.relay = await startBundle(["relay", "--config", this.#file("relay.yaml")], this.#node());
  }

  async startAuthProxy(): Promise<void> {
    this.authProxy = await startBundle(
      ["auth-proxy", "--config", this.#file("auth-proxy.yaml")],
      this.#node(),
    );
  }

  async startAgent(): Promise<void> {
    this.agent = await startBundle(["agent", "--config", this.#file("agent.yaml")], this.#node());
  }

  async close(): Promise<void> {
    // Open links may go on for an hour after a first signal.
    await Promise.all([this.agent, this.authProxy, this.relay].map((process) => process?.stop("SIGKILL")));
    await this.issuer.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #node = () => (this.options.node === undefined ? {} : { node: this.options.node });

  #file = (name: string) => join(this.folder, name);

  #write(name: string, text: string): string {
    writeFileSync(this.#file(name), text, { mode: 0o600 });
    return this.#file(name);
  }

  async #prepare(): Promise<void> {
    const certificate = await createTestCertificate();
    const port = await freePort();
    this.relayUrl = `https://127.0.0.1:${port}`;
    this.relayCaPem = certificate.caPem;
    const issuer = { url: this.issuer.url, certificateAuthority: this.issuer.caPem };
    const { sharedAudience } = this.options;
    const audiences = (own: string) =>
      sharedAudience === undefined
        ? { audiences: [own] }
        : { audiences: [own, sharedAudience], audienceMatchPolicy: "MatchAny" };
    this.#write(
      "relay.yaml",
      stringify({
        publicUrl: this.relayUrl,
        listen: { host: "127.0.0.1", port },
        tls: {
          certFile: this.#write("relay.crt", certificate.certPem),
          keyFile: this.#write("relay.key", certificate.keyPem),
        },
        issuers: [{ issuer: { ...issuer, ...audiences(this.relayUrl) } }],
        clusters: [
          {
            name: cluster,
            agents: { keys: [{ name: "agent", keyFile: this.#write("agent.key", "k".repeat(44)) }] },
            clients: {
              keys: [{ name: "ci", keyFile: this.#write("ci.key", clientKey) }],
              allow: [{ issuer: issuer.url, claims: { repository: "octo/app" } }],
            },
          },
        ],
      }),
    );
    this.#write(
      "auth-proxy.yaml",
      stringify({
        cluster,
        listen: { socket: this.#file("api.sock") },
        apiserver: {
          url: this.options.apiserver.url,
          caFile: this.#write("apiserver.ca.pem", this.options.apiserver.caPem),
          tokenFile: this.#write("apiserver.token", "own-token"),
        },
        tls: { directory: this.#file("tls") },
        authentication: {
          jwt: [
            {
              issuer: { ...issuer, ...audiences(`cluster-connect/${cluster}`) },
              claimMappings: { username: { claim: "sub", prefix: "github:" } },
            },
          ],
        },
      }),
    );
    this.#write(
      "agent.yaml",
      stringify({
        relay: {
          url: this.relayUrl,
          cluster,
          caFile: this.#write("relay.ca.pem", certificate.caPem),
          credential: { keyName: "agent", keyFile: this.#file("agent.key") },
        },
        target: { socket: this.#file("api.sock") },
        limits: { targetProbeMs: 50 },
      }),
    );
  }
}
