/** What flags at a desk name: files, and commands that print tokens. */
import { readFileSync } from "node:fs";
import type { TokenSourceSpec } from "../credentials/token-source-spec";
import { ClusterConnectError, messageOf } from "../runtime/errors";

export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
}

/** Undefined when neither `FLAG-file` nor `FLAG-command` was given. */
export function optionalTokenSource(
  flag: string,
  file: string | undefined,
  command: string | undefined,
): TokenSourceSpec | undefined {
  return file === undefined && command === undefined ? undefined : tokenSource(flag, file, command);
}

/** Throws ERR_SETTINGS_INVALID unless it is one of the two. */
export function tokenSource(
  flag: string,
  file: string | undefined,
  command: string | undefined,
): TokenSourceSpec {
  if ((file === undefined) === (command === undefined)) {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", `give either ${flag}-file or ${flag}-command`);
  }
  return file === undefined
    ? { kind: "command", command: splitCommand(command ?? "") }
    : { kind: "file", path: file };
}

/** Words separated by blanks, quotes keeping blanks together. No shell: nothing else has a meaning. */
export function splitCommand(text: string): string[] {
  const words = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => String(double ?? single)),
  );
}
