import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArcConnection, type ArcEnd } from "../../../src/arc/arc-connection";
import type { ArcSettings } from "../../../src/arc/arc-settings";
import { digestOf } from "../../../src/arc/artifact/digest";
import { receivedToken } from "../../../src/credentials/token";
import type { ClusterConnectError } from "../../../src/runtime/errors";
import { silentLogger } from "../../../src/runtime/logger";
import { Arm, clusterName, resourceGroup, subscriptionId } from "../../support/azure/arm";
import { ArcProxyProgram } from "../../support/azure/arc-proxy/program";
import { accountOf, type StandInSettings } from "../../support/azure/arc-proxy/settings";
import { clientId, Entra, objectId, tenantId } from "../../support/azure/entra";
import { eventually } from "../../support/eventually";
import type { RecordingApiserver } from "../../support/recording-apiserver";
import { startSmallApiserver } from "../../support/small-apiserver";

describe("a connection by arcProxy", () => {
  let apiserver: RecordingApiserver;
  let entra: Entra;
  let arm: Arm;
  let folder: string;
  let program: ArcProxyProgram;
  const connections: ArcConnection[] = [];

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
  });
  afterAll(() => apiserver.close());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "arc-"));
    entra = await Entra.start({ secret: "s" });
    arm = await Arm.start({ entra, relayEndpointSuffix: "servicebus.test" });
    use({});
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.stop();
    expect([...entra.service.violations, ...arm.service.violations, ...program.violations]).toEqual([]);
    expect(program.isRunning).toBe(false);
    expect(existsSync(join(folder, "arc-proxy"))).toBe(false);
    await Promise.all([entra.close(), arm.close()]);
    rmSync(folder, { recursive: true });
  });

  const use = (settings: Partial<StandInSettings>) => {
    const upstream = { kind: "direct", url: apiserver.url, caPem: apiserver.caPem } as const;
    rmSync(join(folder, "program"), { recursive: true, force: true });
    const relayHost = "azgnrelay-ph0-l1.servicebus.test";
    program = new ArcProxyProgram(join(folder, "program"), { upstream, relayHost, ...settings });
  };

  async function start(changes: Partial<ArcSettings> = {}, instance = folder) {
    const ends: ArcEnd[] = [];
    const failures: ClusterConnectError[] = [];
    const lost = { count: 0 };
    const settings: ArcSettings = {
      cluster: { subscriptionId, resourceGroup, name: clusterName },
      cloud: arm.url,
      tenantId,
      signIn: { kind: "application", clientId, credential: { kind: "secret", secret: "s" } },
      serviceAccount: undefined,
      program: { path: program.path, digest: await digestOf(program.path) },
      folder: join(instance, "arc-proxy"),
      logFile: join(instance, "arc-proxy.log"),
      isDebug: false,
      ...changes,
    };
    const connection = new ArcConnection(settings, silentLogger, {
      onRegistered: (end) => ends.push(end),
      onFailure: (error) => failures.push(error),
      onLost: () => (lost.count += 1),
      onPhase: () => undefined,
    });
    connections.push(connection);
    connection.start();
    return { connection, ends, failures, lost };
  }

  /** As kubectl would, by what arcProxy's kubeconfig says. */
  async function whoAmI(connection: ArcConnection, end: ArcEnd, waitMs = 8_000): Promise<unknown> {
    const target = await connection.target(waitMs);
    if (target === undefined) throw connection.failure;
    const { kubeconfig, certificate } = end;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: "127.0.0.1",
          port: target.port,
          path: `${kubeconfig.serverPath}/api/v1/pods`,
          ca: kubeconfig.caPem ?? certificate.pem,
          ...(certificate.serverName === undefined ? {} : { servername: certificate.serverName }),
          headers: { Authorization: `Bearer ${String(kubeconfig.user["token"])}` },
          agent: false,
        },
        (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
          response.on("end", () =>
            resolve(response.statusCode === 200 ? (JSON.parse(body) as { seen: string }).seen : body),
          );
        },
      );
      outgoing.on("error", reject).end();
    });
  }

  it("carries requests as the application, once everything has been handed over", async () => {
    const { connection, ends, failures } = await start();
    const target = await connection.target(10_000);
    expect(target).toBeDefined();
    expect(await whoAmI(connection, ends[0]!)).toBe(objectId);
    expect(failures).toEqual([]);
    expect(connection.claims).toMatchObject({ oid: objectId, appid: clientId });
    expect(arm.issued).toEqual(["AAD"]);
    // One session id from ARM to arcProxy.
    const local = new Set(program.events("request").map(({ correlationId }) => correlationId));
    expect(local).toEqual(arm.correlationIds);
    expect(local.size).toBe(1);
  });

  it("gives it a private folder, a configuration of what it needs, and nothing of the job's environment", async () => {
    process.env["SECRET_OF_THE_JOB"] = "x";
    const { connection } = await start();
    await connection.target(10_000);
    delete process.env["SECRET_OF_THE_JOB"];
    const [started] = program.events("started");
    expect(started!.configMode).toBe(0o600);
    expect(statSync(join(folder, "arc-proxy")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "arc-proxy.log")).mode & 0o777).toBe(0o600);
    expect(started!.arguments).toEqual(["-c", join(folder, "arc-proxy/config.yml")]);
    expect(started!.environment).not.toContain("SECRET_OF_THE_JOB");
    expect(started!.config).toMatchObject({
      identity: { tenantID: tenantId, clientID: clientId },
      cloud: "TestCloud",
      cloudConfig: {
        resourceManagerEndpoint: arm.url,
        serviceBusEndpointSuffix: "servicebus.test",
        activeDirectoryEndpoint: entra.url,
      },
    });
    expect(readFileSync(join(folder, "arc-proxy.log"), "utf8")).toContain("listening");
  });

  it("carries requests as a service account, whose token is in no configuration, and changes with its source", async () => {
    let current = "sa-one";
    const source = {
      description: "test",
      fetch: () => Promise.resolve({ ...receivedToken(current), lifetimeMs: 2_000 }),
    };
    const { connection, ends } = await start({ serviceAccount: source });
    await connection.target(10_000);
    expect(await whoAmI(connection, ends[0]!)).toBe(accountOf("sa-one"));
    expect(arm.issued).toEqual(["Token"]);
    expect(entra.issued).toEqual(["https://management.azure.com/.default"]);
    const [started] = program.events("started");
    expect(started!.config["identity"]).toEqual({ tenantID: tenantId });
    current = "sa-two";
    await eventually(() => ends.length > 1);
    expect(await whoAmI(connection, ends.at(-1)!)).toBe(accountOf("sa-two"));
    expect(JSON.stringify(program.events("started"))).not.toContain("sa-one");
  });

  it.each([
    ["a CA of its own", { kubeconfig: "ca" } as const, undefined],
    ["a certificate that it wants nobody to verify", { kubeconfig: "insecure" } as const, undefined],
    ["a certificate for localhost alone", { names: ["localhost"] }, "localhost"],
  ])("is verified with %s", async (_, settings, serverName) => {
    use(settings);
    const { connection, ends } = await start();
    await connection.target(10_000);
    expect(ends[0]!.certificate.serverName).toBe(serverName);
    expect(await whoAmI(connection, ends[0]!)).toBe(objectId);
  });

  it("does not come up when arcProxy's certificate is for another name", async () => {
    use({ names: ["elsewhere.test"] });
    const { failures } = await start();
    await eventually(() => failures.length > 0, 10_000);
    expect(failures[0]).toMatchObject({ code: "ERR_ARC_PROXY_ANSWER" });
  });

  it("waits for an arcProxy that is slow to listen", async () => {
    program.faults = { slowStartMs: 1_500 };
    const { connection, failures } = await start();
    expect(await connection.target(10_000)).toBeDefined();
    expect(failures).toEqual([]);
  });

  it("tells what an arcProxy that ends at once has said last", async () => {
    program.faults = { exitAtStart: 7 };
    const { failures } = await start();
    await eventually(() => failures.length > 0, 10_000);
    expect(failures[0]).toMatchObject({
      code: "ERR_ARC_PROXY_START",
      detail: "exit code 7; its last words: panic: as the test wants it",
    });
  });

  it("runs no program of another digest", async () => {
    const { failures } = await start({ program: { path: program.path, digest: `sha256:${"0".repeat(64)}` } });
    await eventually(() => failures.length > 0);
    expect(failures[0]).toMatchObject({ code: "ERR_ARC_PROXY_DIGEST" });
    expect(program.pids).toEqual([]);
  });

  it("gives a token for the new key when arcProxy has changed it meanwhile", async () => {
    program.faults = { rotateKeys: 1 };
    const { connection, failures } = await start();
    expect(await connection.target(10_000)).toBeDefined();
    expect(failures).toEqual([]);
    expect(entra.issued.filter((scope) => scope.startsWith("6256c85f"))).toHaveLength(2);
  });

  it("starts arcProxy again when it has crashed, on another port, with the credential that still lives", async () => {
    const { connection, ends, failures, lost } = await start();
    const first = await connection.target(10_000);
    process.kill(program.pids[0]!, "SIGKILL");
    await eventually(() => lost.count === 1);
    const second = await connection.target(10_000);
    expect(second!.port).not.toBe(first!.port);
    expect(await whoAmI(connection, ends.at(-1)!)).toBe(objectId);
    expect(failures).toEqual([expect.objectContaining({ code: "ERR_ARC_PROXY_ENDED" })]);
    expect(arm.issued).toHaveLength(1);
    expect(program.pids).toHaveLength(2);
  });

  it("renews token and credential, each ahead of its end, and lives through an outage of both services", async () => {
    entra.lifetimeSeconds = 6;
    arm.relayLifetimeSeconds = 8;
    const { connection, ends, lost } = await start();
    await connection.target(10_000);
    await eventually(
      () => program.events("token").length > 1 && program.events("registered").length > 1,
      8_000,
    );
    entra.service.outage = "hangs-up";
    arm.service.outage = { status: 503 };
    // As long as the old ones live, nothing has happened for anybody who uses the connection.
    expect(await whoAmI(connection, ends.at(-1)!)).toBe(objectId);
    // Beyond their end nobody is let in to be refused; who comes waits.
    await eventually(() => !isFresh(), 10_000);
    expect(await connection.target(100)).toBeUndefined();
    expect(["ERR_ENTRA_UNREACHABLE", "ERR_ARM_UNREACHABLE", "ERR_ARC_PROXY_ENDED"]).toContain(
      connection.failure.code,
    );
    entra.service.outage = undefined;
    arm.service.outage = undefined;
    expect(await whoAmI(connection, ends.at(-1)!, 15_000)).toBe(objectId);
    expect(lost.count).toBe(0);
    expect(program.pids).toHaveLength(1);

    function isFresh(): boolean {
      const [token, relay] = [program.events("token").at(-1), program.events("registered").at(-1)];
      return (
        Date.now() < token!.at + entra.lifetimeSeconds * 1_000 && Date.now() < relay!.expirationTime * 1_000
      );
    }
  }, 40_000);

  it("tries again when Azure throttles, when arcProxy refuses, and while no agent is connected", async () => {
    arm.throttled = 2;
    arm.agent = "gone";
    program.faults = { refuseRegisters: 1 };
    const { connection, failures } = await start();
    await eventually(() => failures.some(({ code }) => code === "ERR_ARC_AGENT_NOT_CONNECTED"), 10_000);
    arm.agent = "connected";
    expect(await connection.target(10_000)).toBeDefined();
    const codes = new Set(failures.map(({ code }) => code));
    expect(codes).toEqual(
      new Set(["ERR_ARM_THROTTLED", "ERR_ARC_AGENT_NOT_CONNECTED", "ERR_ARC_PROXY_REFUSED"]),
    );
  });

  it("tells that the agent is offline instead of waiting for it, unless it may not know", async () => {
    arm.connectivityStatus = "Offline";
    const { failures } = await start();
    await eventually(() => failures.length > 0, 10_000);
    expect(failures[0]).toMatchObject({ code: "ERR_ARC_AGENT_OFFLINE" });
    arm.actions.delete("read");
    const { connection } = await start({}, mkdtempSync(join(folder, "second-")));
    expect(await connection.target(10_000)).toBeDefined();
  });

  it("works beside another one", async () => {
    const one = await start({}, mkdtempSync(join(folder, "one-")));
    const two = await start({}, mkdtempSync(join(folder, "two-")));
    for (const { connection, ends } of [one, two]) {
      await connection.target(10_000);
      expect(await whoAmI(connection, ends[0]!)).toBe(objectId);
    }
    await connections.shift()!.stop();
    expect(await whoAmI(two.connection, two.ends[0]!)).toBe(objectId);
  });

  it("ends an arcProxy that does not want to end", async () => {
    program.faults = { ignoresSigterm: true };
    const { connection } = await start();
    await connection.target(10_000);
    const started = performance.now();
    await connection.stop();
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(program.isRunning).toBe(false);
  });

  it("stops in the middle of its start", async () => {
    program.faults = { slowStartMs: 60_000 };
    const { connection } = await start();
    await eventually(() => program.pids.length > 0, 10_000);
    await connection.stop();
    expect(program.isRunning).toBe(false);
  });
});
