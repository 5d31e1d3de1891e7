import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeNetworkConfiguration } from "./cni";
import type { Component } from "./component";
import { logFile, type Layout } from "./layout";

export const containerdSocket = "/run/containerd/containerd.sock";
export const pauseImage = "localhost/pause:1";

export function containerd(layout: Layout): Component {
  const file = join(layout.folder, "containerd.toml");
  writeFileSync(file, configuration(writeNetworkConfiguration(layout)));
  return {
    name: "containerd",
    argv: ["containerd", "--config", file],
    logFile: logFile(layout, "containerd"),
  };
}

const configuration = (networks: string) => `
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
  address = "${containerdSocket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Lowering a score needs a capability that a container or a small machine may not have.
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_tcp_service = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${networks}"
`;
