/** The job summary, in Markdown. Every value may come from elsewhere. */
import type { ControlStatus } from "../client-proxy/control";
import { plainText } from "./plain-text";

export interface SummaryFacts {
  readonly clusterName: string;
  readonly connectedMs: number;
  readonly status: ControlStatus;
}

export function renderSummary({ clusterName, connectedMs, status }: SummaryFacts): string {
  const { connection, statistics } = status;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["Cluster", cell(clusterName)],
    ["Identity", connection && cell(connection.identity)],
    ["Server version", connection && cell(connection.serverVersion)],
    ["Ready after", connection && `${((connection.timingsMs["total"] ?? 0) / 1_000).toFixed(1)} s`],
    ["Connected for", duration(connectedMs)],
    ["Streams", String(statistics.streams)],
    ["Sent to the cluster", bytes(statistics.bytesToCluster)],
    ["Received from the cluster", bytes(statistics.bytesFromCluster)],
    ["Streams lost", lost(statistics.lostStreams)],
    ["Links lost and opened again", String(statistics.linksLost)],
    ["Answered locally while a hop was missing", String(statistics.answeredLocally)],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`| ${name} | ${value} |`]));
  return ["### Cluster Connect", "", "| | |", "| --- | --- |", ...lines, ""].join("\n");
}

/** Over SPDY, kubectl exits 0 when an exec is lost: the number must not be overlooked. */
const lost = (count: number): string =>
  count === 0
    ? "0"
    : `**${String(count)}**, reset: a \`kubectl exec\` over SPDY may have exited 0 although it was lost. Check what it did`;

const units = ["B", "kB", "MB", "GB", "TB"] as const;

function bytes(count: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const value = count / 10 ** (3 * power);
  return `${power === 0 ? String(count) : value.toFixed(1)} ${units[power] ?? ""}`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return [
    hours > 0 ? `${String(hours)} h` : "",
    minutes > 0 ? `${String(minutes)} min` : "",
    `${String(seconds % 60)} s`,
  ]
    .filter((part) => part !== "")
    .join(" ");
}

/** Neither Markdown nor HTML of somebody else's: no link, no image, no further column. */
const cell = (text: string): string =>
  plainText(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/[\\`*_{}[\]()#!|~]/g, "\\$&");
