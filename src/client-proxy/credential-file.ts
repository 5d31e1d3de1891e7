/**
 * The file behind the kubeconfig's `exec` user: an ExecCredential (client.authentication.k8s.io/v1) that says when
 * to ask again, so that any client refreshes by itself.
 */
import { accessSync, constants } from "node:fs";
import type { Token } from "../credentials/token-source";
import { replacePrivateFile } from "./private-file";

/** Clients do not retry a 401, so they are told to come back well before the token's end. */
const reportedShare = 0.75;

export function renderExecCredential(token: Token): string {
  const expiry =
    token.lifetimeMs === undefined
      ? {}
      : {
          expirationTimestamp: new Date(token.receivedAtMs + token.lifetimeMs * reportedShare).toISOString(),
        };
  return `${JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: token.value, ...expiry },
  })}\n`;
}

export const writeExecCredential = (path: string, token: Token): Promise<void> =>
  replacePrivateFile(path, renderExecCredential(token));

const printWithNode = "process.stdout.write(require('fs').readFileSync(process.argv[1]))";

/** The cheapest command that prints a file: some clients run it for every request. */
export function credentialCommand(
  path: string,
  platform: NodeJS.Platform = process.platform,
  isExecutable: (program: string) => boolean = canExecute,
): readonly string[] {
  if (platform === "win32") return ["cmd", "/c", "type", path];
  return isExecutable("/bin/cat") ? ["/bin/cat", path] : [process.execPath, "-e", printWithNode, path];
}

function canExecute(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
