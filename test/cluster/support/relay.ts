/** The shipped relay as a process of this machine, where pods reach it over the cable. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../support/free-port";
import { createAuthority } from "../node/certificates";

const cli = join(__dirname, "../../../dist/cli/index.js");

export interface RelayProcess {
  readonly url: string;
  /** What signs its certificate. */
  readonly caPem: string;
  readonly caFile: string;
  /** Every line it has logged, over all its lives. */
  readonly log: readonly string[];
  readonly pid: number;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same address; resolves when it serves. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface RelayOptions {
  readonly host: string;
  /** `issuers` and `clusters` of its configuration. */
  readonly issuers: readonly object[];
  readonly clusters: readonly object[];
}

export async function startRelayProcess(options: RelayOptions): Promise<RelayProcess> {
  const folder = mkdtempSync(join(tmpdir(), "cluster-connect-relay-"));
  const port = await freePort(options.host);
  const authority = await createAuthority(folder);
  const { cert, key } = await authority.issue("relay", "CN=relay", [options.host]);
  const url = `https://${options.host}:${String(port)}`;
  const configFile = join(folder, "relay.json");
  const { host, issuers, clusters } = options;
  const tls = { certFile: cert, keyFile: key };
  writeFileSync(
    configFile,
    JSON.stringify({ publicUrl: url, listen: { host, port }, tls, issuers, clusters }),
  );

  const log: string[] = [];
  let child: ChildProcess | undefined;
  const relay: RelayProcess = {
    url,
    caPem: authority.caPem,
    caFile: authority.caFile,
    log,
    get pid() {
      return child?.pid ?? 0;
    },
    async kill() {
      if (child === undefined) return;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
      child = undefined;
    },
    async start() {
      child = spawn(process.execPath, [cli, "relay", "--config", configFile, "--log-format", "json"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await untilReady(child, log);
    },
    async close() {
      await relay.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await relay.start();
  return relay;
}

function untilReady(child: ChildProcess, log: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error(`the relay ended:\n${log.slice(-5).join("\n")}`)));
    createInterface({ input: child.stdout! }).on("line", (line) => {
      log.push(line);
      if (line.includes('"ready":true')) resolve();
    });
  });
}
