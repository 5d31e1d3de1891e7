/** The job summary, in Markdown. Every value may come from elsewhere. */
import type { ControlStatus } from "../client-proxy/control";

export function renderSummary(status: ControlStatus): string {
  const { connection, statistics } = status;
  const rows: readonly (readonly [string, string])[] = [
    ["Context", connection?.contextName ?? "(never connected)"],
    ["Identity", connection?.identity ?? ""],
    ["Server version", connection?.serverVersion ?? ""],
    [
      "Ready after",
      connection === undefined ? "" : `${((connection.timingsMs["total"] ?? 0) / 1_000).toFixed(1)} s`,
    ],
    ["Connections", String(statistics.streams)],
    ["Sent to the cluster", megabytes(statistics.bytesToCluster)],
    ["Received from the cluster", megabytes(statistics.bytesFromCluster)],
    ["Links lost and opened again", String(statistics.linksLost)],
    ["Answered locally while a hop was missing", String(statistics.answeredLocally)],
    ["Connections lost", lost(statistics.lostStreams)],
  ];
  const lines = rows
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `| ${name} | ${cell(value)} |`);
  return ["### Cluster Connect", "", "| | |", "| --- | --- |", ...lines, ""].join("\n");
}

/** Over SPDY, kubectl exits 0 when an exec is lost: the number must not be overlooked. */
const lost = (count: number): string =>
  count === 0
    ? "0"
    : `${String(count)} (reset; a \`kubectl exec\` over SPDY may have exited 0 although it was lost: check what it did)`;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const cell = (text: string): string =>
  text
    .replace(/[\p{Cc}]+/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("|", "\\|");
