import { execFile } from "node:child_process";
import { ClusterConnectError } from "../runtime/errors";
import type { TokenSource } from "./token-source";
import { receivedToken } from "./token";
import { extractToken, maxTokenBytes } from "./token-text";

const commandTimeoutMs = 60_000;

/** Runs a command, without a shell, and takes the token that it prints. Its stderr goes to the person at the desk. */
export function createTokenCommandSource(command: readonly string[]): TokenSource {
  const [program = "", ...args] = command;
  return {
    description: `command ${program}`,
    async fetch(signal) {
      const token = extractToken(await run(program, args, signal));
      if (token === undefined) {
        throw new ClusterConnectError("ERR_TOKEN_COMMAND_FAILED", `${program} printed no token`);
      }
      return receivedToken(token);
    },
  };
}

function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      encoding: "utf8",
      timeout: commandTimeoutMs,
      maxBuffer: 2 * maxTokenBytes,
      windowsHide: true,
      ...(signal === undefined ? {} : { signal }),
    } as const;
    const child = execFile(program, args, options, (error, stdout) => {
      if (error === null) return resolve(stdout);
      // The error's own message repeats the arguments, and Node's exit status or signal says enough.
      const why = error.killed
        ? `no answer within ${String(commandTimeoutMs / 1_000)} s`
        : String(error.code ?? "");
      reject(new ClusterConnectError("ERR_TOKEN_COMMAND_FAILED", `${program}: ${why}`, { cause: error }));
    });
    child.stderr?.pipe(process.stderr, { end: false });
  });
}
