/** The client proxy's log: it has no other way to tell the job anything once main has returned. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { logFile } from "../client-proxy/control";
import { prettyLine } from "../runtime/pretty-line";
import { redact } from "../runtime/redact";
import type { PlatformLog } from "./platform";

const tailLines = 40;
const tailBytes = 65_536;

/** The log's last lines, for people. Empty when there is none. */
export async function readLogTail(instanceDirectory: string): Promise<string[]> {
  const file = await open(join(instanceDirectory, logFile)).catch(() => undefined);
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, start);
    const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
    // Unless it is the whole file, the first line has lost its beginning.
    return lines
      .slice(start === 0 ? 0 : 1)
      .filter((line) => line !== "")
      .slice(-tailLines)
      .map((line) => redact(readable(line)));
  } finally {
    await file.close();
  }
}

export function showLogTail(log: PlatformLog, lines: readonly string[]): void {
  if (lines.length === 0) return;
  log.startGroup("The client proxy's log, its last lines");
  for (const line of lines) log.info(`| ${line}`);
  log.endGroup();
}

/** What Node itself prints when it dies is no JSON. */
function readable(line: string): string {
  try {
    return prettyLine(line).trimEnd();
  } catch {
    return line;
  }
}
