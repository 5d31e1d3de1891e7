import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { mustRun, run } from "./command";
import { report } from "./report";

const packages = [
  "busybox-static",
  "containerd",
  "containernetworking-plugins",
  "iproute2",
  "python3-venv",
  "runc",
  "squid",
  "tini",
  "util-linux",
];

/** Installs what is missing; asks nobody when nothing is. */
export async function installDebianPackages(): Promise<void> {
  const { stdout } = await run("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...packages]);
  const missing = packages.filter((name) => !stdout.includes(`${name} installed`));
  if (missing.length === 0) return;
  report(`installing ${missing.join(", ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await mustRun("apt-get", ["update", "-q"], { env });
  await withoutStartingServices(() =>
    mustRun("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], { env }),
  );
}

/** Debian starts a service as it installs it, here containerd and squid, unless this file forbids it. */
async function withoutStartingServices(install: () => Promise<unknown>): Promise<void> {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) {
    writeFileSync(policy, "#!/bin/sh\nexit 101\n");
    chmodSync(policy, 0o755);
  }
  try {
    await install();
  } finally {
    if (ours) rmSync(policy);
  }
}
