import type { Component } from "./component";
import { logFile, type Layout } from "./layout";

export const etcdUrl = "http://127.0.0.1:2379";

/** In memory and without fsync: it lives as long as one run. */
export function etcd(layout: Layout): Component {
  return {
    name: "etcd",
    argv: [
      layout.binaries.etcd,
      "--data-dir=/var/lib/etcd",
      "--unsafe-no-fsync",
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      "--listen-peer-urls=http://127.0.0.1:2380",
      "--log-level=warn",
    ],
    logFile: logFile(layout, "etcd"),
  };
}
