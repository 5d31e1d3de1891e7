/**
 * A client proxy that plays a part: it speaks src/client-proxy/control.ts and reaches nothing. The part is the
 * cluster's name in its start request; what it was given lies beside its log.
 */
const { readFileSync, writeFileSync, rmSync } = require("node:fs");
const { createServer } = require("node:net");
const { join } = require("node:path");

const request = JSON.parse(readFileSync(0, "utf8"));
const file = (name) => join(request.instanceDirectory, name);
const write = (name, text) => writeFileSync(file(name), text, { mode: 0o600, flag: "wx" });
const part = request.cluster;

write("request.json", JSON.stringify(request));
write("environment.json", JSON.stringify(process.env));
console.log(JSON.stringify({ level: "info", time: "2026-01-01T12:00:00.000Z", event: "part.chosen", part }));
if (part === "dies") process.exit(3);
if (part === "stubborn") process.on("SIGTERM", () => undefined);

const name = request.contextName;
const kubeconfig = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    {
      name,
      cluster: {
        server: "https://127.0.0.1:1",
        "tls-server-name": "stand-in",
        "certificate-authority-data": "",
        extensions: [{ name: "cluster-connect.dev", extension: {} }],
      },
    },
  ],
  contexts: [{ name, context: { cluster: name, user: name } }],
  users: [{ name, user: { exec: { command: "/bin/true", args: [] } } }],
  "current-context": name,
};
const connection = {
  server: "https://127.0.0.1:1",
  kubeconfigPath: file("kubeconfig"),
  contextName: name,
  identity: "github:octo/app:production",
  groups: [],
  serverVersion: "v1.36.3",
  caPins: [],
  caPinned: true,
  hasRights: true,
  timingsMs: { token: 1, session: 1, proof: 1, kubeconfig: 1, total: 4 },
};
const statistics = {
  streams: 3,
  bytesToCluster: 10,
  bytesFromCluster: 20,
  lostStreams: part === "loses" ? 2 : 0,
  answeredLocally: 0,
  linksLost: 0,
};
const obstacle = { code: "ERR_AGENT_NOT_CONNECTED", detail: "nobody\n::error::evil", hop: "agent" };
const statuses = {
  fails: {
    phase: "failed",
    failure: { code: "ERR_RELAY_TOKEN_REFUSED", detail: "x".repeat(5_000), hop: "relay" },
  },
  breaks: { phase: "failed", failure: { code: "ERR_UNEXPECTED", detail: "odd", hop: "client proxy" } },
  waits: { phase: "connecting", failure: obstacle },
  "dies-later": { phase: "connecting" },
};
const status = { statistics, ...(statuses[part] ?? { phase: "ready", connection }) };

const asked = {};
if (part !== "silent") {
  if (status.phase === "ready") write("kubeconfig", JSON.stringify(kubeconfig));
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (chunk) => {
      const { secret, command } = JSON.parse(chunk.toString());
      if (secret !== "one-time" || part === "stubborn") return;
      asked[command] = (asked[command] ?? 0) + 1;
      if (part === "dies-later" && asked.wait === 2) process.exit(4);
      if (command === "wait" && status.phase === "connecting") return;
      const answer = command === "stop" ? { ...status, phase: "stopped" } : status;
      socket.end(`${JSON.stringify(answer)}\n`, () => {
        if (command === "stop") process.exit(0);
      });
    });
  });
  const address = file("control.sock");
  rmSync(address, { force: true });
  server.listen(address, () => {
    write("control.secret", "one-time");
    write("control.address", address);
  });
}
const stay = () => setTimeout(stay, 1_000);
stay();
