import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../../src/arc/artifact/digest";
import type { StartRequestInput } from "../../../src/client-proxy/control";
import type { TestCertificate } from "../certificate";
import { ArcProxyProgram } from "./arc-proxy/program";
import type { StandInSettings } from "./arc-proxy/settings";
import { Arm, resourceGroup, subscriptionId, type ArmOptions } from "./arm";
import { ContainerRegistry } from "./container-registry";
import { clientId, Entra, tenantId, type EntraOptions } from "./entra";

export interface AzureOptions {
  /** An existing folder for arcProxy's stand-in. */
  readonly folder: string;
  readonly arcProxy: Partial<StandInSettings> & Pick<StandInSettings, "upstream">;
  readonly certificate?: TestCertificate;
  readonly entra?: Omit<EntraOptions, "certificate">;
  readonly arm?: Omit<ArmOptions, "entra" | "certificate">;
}

const suffix = "servicebus.test";

/** All of Azure that a caller of an Arc-enabled cluster meets, on loopback. */
export class Azure {
  private constructor(
    readonly entra: Entra,
    readonly arm: Arm,
    readonly registry: ContainerRegistry,
    readonly arcProxy: ArcProxyProgram,
  ) {}

  static async start({ folder, certificate, ...options }: AzureOptions): Promise<Azure> {
    const tls = certificate === undefined ? {} : { certificate };
    const entra = await Entra.start({ secret: "s3cret", ...options.entra, ...tls });
    const arm = await Arm.start({ relayEndpointSuffix: suffix, ...options.arm, ...tls, entra });
    mkdirSync(folder, { recursive: true });
    const relayHost = `${options.arm?.relay ?? "azgnrelay-ph0-l1"}.${suffix}`;
    const arcProxy = new ArcProxyProgram(join(folder, "arc-proxy-program"), {
      relayHost,
      ...options.arcProxy,
    });
    return new Azure(entra, arm, await ContainerRegistry.start(arcProxy.archive(), certificate), arcProxy);
  }

  /** What was asked of any of it that the real ones are not known to take; must always be empty. */
  get violations(): string[] {
    const { entra, arm, registry, arcProxy } = this;
    return [
      ...entra.service.violations,
      ...arm.service.violations,
      ...registry.violations,
      ...arcProxy.violations,
    ];
  }

  /** The part of a start request that leads here, with the application's secret. */
  async backend(): Promise<Extract<StartRequestInput["backend"], { kind: "arc" }>> {
    return {
      kind: "arc",
      subscriptionId,
      resourceGroup,
      cloud: this.arm.url,
      tenantId,
      signIn: { kind: "secret", clientId, secret: "s3cret" },
      program: { path: this.arcProxy.path, digest: await digestOf(this.arcProxy.path) },
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.entra.close(), this.arm.close(), this.registry.close()]);
  }
}
