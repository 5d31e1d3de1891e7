/** The logs of client proxy and arcProxy: they have no other way to tell the job anything once main has returned. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { arcProxyLogFile, logFile } from "../client-proxy/control";
import { prettyLine } from "../runtime/pretty-line";
import { redact } from "../runtime/redact";
import type { PlatformLog } from "./platform";

const tailLines = 40;
const tailBytes = 65_536;

export interface LogTail {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The last lines of each log that there is, for people. */
export async function readLogTails(instanceDirectory: string): Promise<LogTail[]> {
  return [
    { title: "The client proxy's log, its last lines", lines: await readTail(instanceDirectory, logFile) },
    { title: "arcProxy's log, its last lines", lines: await readTail(instanceDirectory, arcProxyLogFile) },
  ].filter(({ lines }) => lines.length > 0);
}

async function readTail(instanceDirectory: string, name: string): Promise<string[]> {
  const file = await open(join(instanceDirectory, name)).catch(() => undefined);
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

export function showLogTails(log: PlatformLog, tails: readonly LogTail[]): void {
  for (const { title, lines } of tails) {
    log.startGroup(title);
    for (const line of lines) log.info(`| ${line}`);
    log.endGroup();
  }
}

/** What Node itself prints when it dies is no JSON. */
function readable(line: string): string {
  try {
    return prettyLine(line).trimEnd();
  } catch {
    return line;
  }
}
