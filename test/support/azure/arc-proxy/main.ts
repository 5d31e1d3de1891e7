/** A stand-in for Microsoft's arcProxy: obeys its command line, its configuration and its two local APIs. */
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { ClusterFront } from "./cluster-front";
import { readCommandLine } from "./config-file";
import { Journal } from "./journal";
import { LocalApi } from "./local-api";
import { createSelfSigned } from "./self-signed";
import type { StandInSettings } from "./settings";
import { State } from "./state";
import { createWay } from "./way";

export async function run(settings: StandInSettings): Promise<void> {
  const journal = new Journal(settings);
  const { slowStartMs = 0, exitAtStart, ignoresSigterm } = journal.faults;
  const args = process.argv.slice(2);
  const { config, mode } = readCommandLine(args);
  journal.note({
    event: "started",
    pid: process.pid,
    arguments: args,
    environment: Object.keys(process.env),
    config: { ...config },
    configMode: mode,
  });
  console.log("arcProxy stand-in: starting");
  if (ignoresSigterm === true) process.on("SIGTERM", () => undefined);
  if (exitAtStart !== undefined) {
    console.error("panic: as the test wants it");
    process.exit(exitAtStart);
  }
  await new Promise((resolve) => setTimeout(resolve, slowStartMs));
  const state = new State();
  const certificate = await createSelfSigned(settings.names);
  const api = new LocalApi({ journal, state, config, caPem: certificate.certPem });
  const front = new ClusterFront(journal, state, createWay(settings.upstream, state));
  const secure = createTlsServer({
    cert: certificate.certPem,
    key: certificate.keyPem,
    ALPNProtocols: ["http/1.1"],
    maxHeaderSize: 1_048_576,
    requestTimeout: 0,
  });
  secure.on("request", (request, response) => {
    const isIdentity = request.url?.startsWith("/identity/") === true;
    void (isIdentity ? api.identity(request, response) : front.request(request, response));
  });
  secure.on("upgrade", (request, socket, head: Buffer) => void front.upgrade(request, socket, head));
  const plain = createServer((request, response) => void api.register(request, response));
  secure.listen(config.server.httpsPort, "127.0.0.1");
  plain.listen(config.server.httpPort, "127.0.0.1");
  await Promise.all([once(secure, "listening"), once(plain, "listening")]);
  console.log("arcProxy stand-in: listening");
}
