/** squid, as a company's outbound proxy that wants to know who asks. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../support/free-port";
import { eventually, mustRun } from "../node";

export interface Squid {
  /** With the credentials of `user`. */
  url(user: string, password?: string): string;
  /** Who was connected to where; squid writes it down when a tunnel has ended. */
  tunnels(): { user: string; target: string }[];
  close(): Promise<void>;
}

const password = "with@sign";

/** Starts squid on `host` for these users; it connects to wherever they want. */
export async function startSquid(host: string, users: readonly string[]): Promise<Squid> {
  const folder = mkdtempSync(join(tmpdir(), "squid-"));
  const port = await freePort(host);
  const hash = (await mustRun("openssl", ["passwd", "-apr1", password])).trim();
  writeFileSync(join(folder, "users"), users.map((user) => `${user}:${hash}\n`).join(""));
  const file = (name: string) => join(folder, name);
  const configuration = [
    `http_port ${host}:${String(port)}`,
    `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${file("users")}`,
    "acl known proxy_auth REQUIRED",
    "http_access allow known",
    "http_access deny all",
    "cache deny all",
    `logformat tunnel %>Hs %un %ru`,
    `access_log stdio:${file("access.log")} tunnel`,
    `cache_log ${file("cache.log")}`,
    `coredump_dir ${folder}`,
    "pid_filename none",
    "shutdown_lifetime 0 seconds",
  ];
  writeFileSync(file("squid.conf"), `${configuration.join("\n")}\n`);
  // Once it has its port it goes on as this user, who writes the logs.
  const owner = Number((await mustRun("id", ["-u", "proxy"])).trim());
  chownSync(folder, owner, -1);
  chmodSync(folder, 0o755);
  const child = spawn("squid", ["-N", "-f", file("squid.conf")], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const exit = once(child, "exit");
  await eventually(`squid on ${host}`, 15_000, () => {
    if (child.exitCode !== null) throw new Error(said);
    return takesConnections(host, port);
  });
  return {
    url: (user, secret = password) => `http://${user}:${encodeURIComponent(secret)}@${host}:${String(port)}`,
    tunnels: () =>
      readFileSync(file("access.log"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("200 "))
        .map((line) => line.split(" "))
        .map(([, user = "", target = ""]) => ({ user, target })),
    async close() {
      child.kill("SIGTERM");
      await exit;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function takesConnections(host: string, port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(undefined));
    socket.once("connect", () => socket.destroy());
  });
}
