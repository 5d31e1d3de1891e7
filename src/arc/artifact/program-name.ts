/** How arcProxy is named where Microsoft publishes it, and here. */
import { ClusterConnectError } from "../../runtime/errors";

/** The version that this release has been made for. */
export const arcProxyVersion = "1.3.029301";

export interface TargetPlatform {
  readonly os: "linux" | "darwin" | "windows";
  readonly arch: "amd64" | "arm64" | "386";
}

const systems: Readonly<Record<string, TargetPlatform["os"]>> = {
  linux: "linux",
  darwin: "darwin",
  win32: "windows",
};
const architectures: Readonly<Record<string, TargetPlatform["arch"]>> = {
  x64: "amd64",
  arm64: "arm64",
  ia32: "386",
};

/** Of this machine unless told otherwise, in Node's words. Throws ERR_ARC_PROXY_PLATFORM. */
export function targetPlatform(
  platform: string = process.platform,
  architecture: string = process.arch,
): TargetPlatform {
  const os = systems[platform];
  const arch = architectures[architecture];
  if (os === undefined || arch === undefined || (os === "darwin" && arch === "386")) {
    throw new ClusterConnectError("ERR_ARC_PROXY_PLATFORM", `${platform} on ${architecture}`);
  }
  return { os, arch };
}

/** The repository in the registry, one for each system and architecture. */
export const repositoryOf = ({ os, arch }: TargetPlatform): string =>
  `azureconnectivity/proxy/${os}/${arch}/arc-proxy`;

export const programName = ({ os }: TargetPlatform): string =>
  os === "windows" ? "arcProxy.exe" : "arcProxy";
