/** Who listens at a loopback port, where the operating system tells (Linux). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const listening = "0A";

/**
 * Whether a process of the group listens at the port: false when somebody else does; undefined where that cannot be
 * told. A token is given to whoever answers there, so that another user of the machine must not be faster.
 */
export function ownsPort(processGroup: number, port: number): boolean | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const sockets = new Set(["tcp", "tcp6"].flatMap((table) => inodesOf(table, port)));
    if (sockets.size === 0) return undefined;
    return membersOf(processGroup).some((pid) => linksOf(pid).some((link) => sockets.has(link)));
  } catch {
    return undefined;
  }
}

/** Of the sockets that listen at the port, as links of descriptors name them. */
function inodesOf(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync(`/proc/self/net/${table}`, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => local.endsWith(wanted) && state === listening)
    .map((fields) => `socket:[${fields[9] ?? ""}]`);
}

function membersOf(processGroup: number): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && groupOf(name) === processGroup);
}

/** The third field after the name, which may itself hold blanks and brackets. */
function groupOf(pid: string): number | undefined {
  try {
    const [, , group] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(group);
  } catch {
    return undefined;
  }
}

/** None of a process that has ended meanwhile: what is left of it must not keep the others from being looked at. */
function linksOf(pid: string): string[] {
  const directory = `/proc/${pid}/fd`;
  return listed(directory).flatMap((descriptor) => {
    try {
      return [readlinkSync(`${directory}/${descriptor}`)];
    } catch {
      return [];
    }
  });
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
