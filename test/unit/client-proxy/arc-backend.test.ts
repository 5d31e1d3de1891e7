import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { ClientProxy } from "../../../src/client-proxy/client-proxy";
import { startRequest, type StartRequestInput } from "../../../src/client-proxy/control";
import { silentLogger } from "../../../src/runtime/logger";
import { accountOf } from "../../support/azure/arc-proxy/settings";
import { clusterName } from "../../support/azure/arm";
import { Azure } from "../../support/azure/azure";
import { objectId } from "../../support/azure/entra";
import { eventually } from "../../support/eventually";
import { get, openStream } from "../../support/kubeconfig-client";
import type { RecordingApiserver } from "../../support/recording-apiserver";
import { startSmallApiserver } from "../../support/small-apiserver";

type ArcRequest = Extract<StartRequestInput["backend"], { kind: "arc" }>;

describe("the client proxy through Azure Arc", () => {
  let apiserver: RecordingApiserver;
  let azure: Azure;
  let folder: string;
  let instance: string;
  const proxies: ClientProxy[] = [];

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
  });
  afterAll(() => apiserver.close());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "arc-backend-"));
    instance = mkdtempSync(join(folder, "instance-"));
    const upstream = { kind: "direct", url: apiserver.url, caPem: apiserver.caPem } as const;
    azure = await Azure.start({ folder, arcProxy: { upstream } });
  });
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.stop();
    expect(azure.violations).toEqual([]);
    expect(azure.arcProxy.isRunning).toBe(false);
    expect(readdirSync(instance)).toEqual(
      existsSync(join(instance, "arc-proxy.log")) ? ["arc-proxy.log"] : [],
    );
    await azure.close();
    rmSync(folder, { recursive: true });
  });

  async function start(changes: Partial<ArcRequest> = {}) {
    const backend = { ...(await azure.backend()), ...changes };
    const request = startRequest.parse({
      instanceDirectory: instance,
      cluster: clusterName,
      backend,
      contextName: clusterName,
    });
    const proxy = new ClientProxy(request, silentLogger);
    proxies.push(proxy);
    await proxy.start();
    await proxy.phase.settled(new AbortController().signal);
    const { phase, failure, connection } = proxy.status();
    return { proxy, phase, failure, connection, path: join(instance, "kubeconfig") };
  }

  it("is ready when the cluster has answered, and names who it takes the application for", async () => {
    const { phase, connection, path } = await start();
    expect(phase).toBe("ready");
    expect(connection).toMatchObject({
      identity: objectId,
      serverVersion: "v1.36.3",
      caPinned: true,
      caPins: [],
    });
    expect(Object.keys(connection!.timingsMs).sort()).toEqual(
      ["arcProxy", "identity", "kubeconfig", "proof", "registered", "relayCredential", "total"].sort(),
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await get(path, "/api/v1/pods")).body)).toMatchObject({ seen: objectId });
  });

  it("replaces host and port in arcProxy's kubeconfig, keeps path and user, and names things by the cluster", async () => {
    const { path, connection } = await start();
    const file = parse(readFileSync(path, "utf8")) as Record<string, Record<string, unknown>[]>;
    const [{ cluster }] = file["clusters"] as [{ cluster: Record<string, unknown> }];
    const { hostname, pathname } = new URL(String(cluster["server"]));
    expect([hostname, cluster["server"]]).toEqual(["127.0.0.1", connection!.server]);
    expect(pathname).toMatch(/^\/proxies\/[0-9a-f]+$/);
    expect(cluster).not.toHaveProperty("insecure-skip-tls-verify");
    expect(cluster["certificate-authority"]).toBe(join(instance, "ca.pem"));
    const [{ user }] = file["users"] as [{ user: { token: string } }];
    expect(user.token).toMatch(/^[0-9a-f]{32}$/);
    expect(file["current-context"]).toBe(clusterName);
    // arcProxy's certificate, and the responder's CA.
    expect(readFileSync(join(instance, "ca.pem"), "utf8").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it("resets what is open when arcProxy crashes, counts it, and serves the same kubeconfig with its successor", async () => {
    const { proxy, path } = await start();
    const watch = await openStream(path, "/api/v1/pods?watch=true");
    process.kill(azure.arcProxy.pids[0]!, "SIGKILL");
    expect(await watch.over).toBe("lost");
    await eventually(() => proxy.statistics.lostStreams > 0);
    // Its certificate is another one: what was started before the kubeconfig's CA was replaced does not believe it.
    let status = 0;
    for (let attempt = 0; attempt < 20 && status !== 200; attempt += 1) {
      status = await get(path, "/api/v1/pods").then(
        (answer) => answer.status,
        () => 0,
      );
    }
    expect(status).toBe(200);
    expect(proxy.statistics.linksLost).toBe(1);
    expect(azure.arcProxy.pids).toHaveLength(2);
  });

  it("answers here, with the missing hop, what cannot reach the cluster now, and goes on when it can", async () => {
    azure.arm.relayLifetimeSeconds = 3;
    const { proxy, path } = await start();
    azure.arm.service.outage = { status: 503 };
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const answer = await get(path, "/api");
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.body).toContain("ERR_ARM_UNREACHABLE");
    expect(proxy.statistics.answeredLocally).toBe(1);
    azure.arm.relayLifetimeSeconds = 3_600;
    azure.arm.service.outage = undefined;
    let status = 503;
    for (let attempt = 0; attempt < 5 && status === 503; attempt += 1)
      status = (await get(path, "/api")).status;
    expect(status).toBe(200);
  }, 40_000);

  it("is the service account where one is given", async () => {
    const { connection } = await start({ serviceAccount: { kind: "static", token: "sa-token" } });
    expect(connection?.identity).toBe(accountOf("sa-token"));
  });

  it.each<[string, () => void, Partial<ArcRequest>, string]>([
    ["the role is missing", () => azure.arm.actions.clear(), {}, "ERR_ARC_ROLE_MISSING"],
    ["there is no such group", () => undefined, { resourceGroup: "x" }, "ERR_ARC_GROUP_NOT_FOUND"],
    ["no agent has ever come up", () => void (azure.arm.agent = "never"), {}, "ERR_ARC_AGENT_NEVER_STARTED"],
    [
      "the agent is offline",
      () => void (azure.arm.connectivityStatus = "Offline"),
      {},
      "ERR_ARC_AGENT_OFFLINE",
    ],
    ["a policy blocks it", () => void (azure.entra.refusal = 53_003), {}, "ERR_ENTRA_CONDITIONAL_ACCESS"],
    ["the tenant is another", () => undefined, { tenantId: objectId }, "ERR_ENTRA_CLIENT_UNKNOWN"],
    [
      "arcProxy ends at once",
      () => void (azure.arcProxy.faults = { exitAtStart: 3 }),
      {},
      "ERR_ARC_PROXY_START",
    ],
    [
      "the cluster refuses the identity",
      () => void (azure.arcProxy.faults = { clusterStatus: 401 }),
      {},
      "ERR_ARC_CLUSTER_TOKEN_REFUSED",
    ],
    [
      "the identity has no rights",
      () => void (azure.arcProxy.faults = { clusterStatus: 403 }),
      {},
      "ERR_ARC_CLUSTER_FORBIDDEN",
    ],
    [
      "there are too many groups",
      () => {
        azure.entra.claims = { _claim_names: { groups: "src1" } };
        azure.arcProxy.faults = { clusterStatus: 403 };
      },
      {},
      "ERR_ARC_GROUPS_OVERAGE",
    ],
  ])("fails for good when %s, by a code of its own", async (_, arrange, changes, code) => {
    arrange();
    const { phase, failure } = await start(changes);
    expect([phase, failure?.code]).toEqual(["failed", code]);
  });

  it("prints both names that a binding may use when the identity has no rights", async () => {
    azure.entra.claims = { upn: "octo@example.com" };
    azure.arcProxy.faults = { clusterStatus: 403 };
    const { failure } = await start();
    expect(failure?.detail).toContain(`oid ${objectId}, upn octo@example.com`);
  });

  it("waits for an agent that is renewing its own credential, at Azure and behind arcProxy", async () => {
    azure.arm.agent = "gone";
    azure.arcProxy.faults = { agentGone: true };
    setTimeout(() => (azure.arm.agent = "connected"), 700);
    setTimeout(() => (azure.arcProxy.faults = {}), 2_500);
    const { phase } = await start();
    expect(phase).toBe("ready");
  });
});
