import { ClusterConnectError } from "./errors";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Reads `250ms`, `60s`, `2m`, `1h`; a bare number is seconds. Returns milliseconds. */
export function parseDuration(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (!match) {
    throw new ClusterConnectError(
      "ERR_SETTINGS_INVALID",
      `${name} is "${text}", which is not a duration such as 60s, 2m or 1h`,
    );
  }
  return Number(match[1]) * unitMs[(match[2] ?? "s") as keyof typeof unitMs];
}
