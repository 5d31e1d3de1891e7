/** A CI job that reaches an Arc-enabled cluster: all of Azure on loopback, over TLS, and the inputs that lead there. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestCertificate } from "../certificate";
import type { CiJob, JobOptions } from "../ci-job";
import type { CiUnderTest } from "../ci-systems";
import { connectionId, exchangeAudience } from "../fake-agent/identity-endpoints";
import { startIssuer, type MintOptions, type TestIssuer } from "../issuer";
import { clusterName, resourceGroup, subscriptionId } from "./arm";
import { Azure, type AzureOptions } from "./azure";
import { clientId, tenantId } from "./entra";

export const subject = "repo:octo/app:environment:production";

export class AzureForJobs {
  /** Of the assertions that jobs get. */
  assertion: MintOptions = {};
  /** When set, how long they live. */
  assertionLifetimeMs: number | undefined;
  readonly #jobs: CiJob[] = [];

  private constructor(
    readonly azure: Azure,
    readonly issuer: TestIssuer,
    private readonly folder: string,
    private readonly caFile: string,
  ) {}

  static async start(options: Omit<AzureOptions, "folder" | "certificate">): Promise<AzureForJobs> {
    const folder = mkdtempSync(join(tmpdir(), "azure-"));
    const certificate = await createTestCertificate();
    const caFile = join(folder, "ca.pem");
    writeFileSync(caFile, certificate.caPem);
    const issuer = await startIssuer();
    const federated = { issuer: issuer.url, subject, audience: exchangeAudience, keys: issuer.jwks };
    const entra = { federated, ...options.entra };
    return new AzureForJobs(
      await Azure.start({ ...options, entra, folder, certificate }),
      issuer,
      folder,
      caFile,
    );
  }

  async startJob(ci: CiUnderTest, options: Partial<JobOptions> = {}): Promise<CiJob> {
    const job = await ci.startJob({
      mint: (audience) => {
        const now = Date.now() / 1_000;
        const life = this.assertionLifetimeMs;
        // Not in whole seconds: minutes are compressed into less than one.
        const claims = life === undefined ? {} : { iat: now, nbf: now, exp: now + life / 1_000 };
        return this.issuer.mint(claims, { audience, subject, ...this.assertion });
      },
      ...options,
      env: { NODE_EXTRA_CA_CERTS: this.caFile, ...options.env },
    });
    this.#jobs.push(job);
    return job;
  }

  inputs(ci: CiUnderTest): Record<string, string> {
    const login =
      ci.system === "github"
        ? { "client-id": clientId, "tenant-id": tenantId }
        : { "azure-subscription": connectionId };
    return {
      "cluster-name": clusterName,
      "subscription-id": subscriptionId,
      "resource-group": resourceGroup,
      cloud: this.azure.arm.url,
      "arc-proxy-registry": this.azure.registry.url,
      timeout: "20s",
      ...login,
    };
  }

  /** Takes back every fault that a test has put in. */
  restore(): void {
    const { arcProxy, arm, entra, registry } = this.azure;
    arcProxy.faults = {};
    entra.refusal = undefined;
    entra.claims = {};
    Object.assign(arm, { agent: "connected", connectivityStatus: "Connected" });
    arm.actions = new Set(["read", "listClusterUserCredential/action"]);
    delete registry.faults.altered;
    delete registry.faults.redirect;
    this.assertion = {};
  }

  async closeJobs(): Promise<void> {
    for (const job of this.#jobs.splice(0)) await job.close();
  }

  async close(): Promise<void> {
    await this.closeJobs();
    await this.azure.close();
    await this.issuer.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
