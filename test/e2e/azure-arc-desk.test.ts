import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resourceGroup, subscriptionId } from "../support/azure/arm";
import { accountOf } from "../support/azure/arc-proxy/settings";
import { Azure } from "../support/azure/azure";
import { createApplicationCertificate } from "../support/azure/application-certificate";
import { clientId, objectId, tenantId } from "../support/azure/entra";
import { bundle } from "../support/bundle-process";
import { createTestCertificate } from "../support/certificate";
import { eventually } from "../support/eventually";
import { get } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";

/** `cluster-connect proxy` to an Arc-enabled cluster, as somebody at a desk runs it. */
describe("the client proxy at a desk, through Azure Arc", () => {
  let apiserver: RecordingApiserver;
  let azure: Azure;
  let folder: string;
  const children: ChildProcess[] = [];
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
    folder = mkdtempSync(join(tmpdir(), "arc-desk-"));
    const certificate = await createTestCertificate();
    const application = await createApplicationCertificate();
    const upstream = { kind: "direct", url: apiserver.url, caPem: apiserver.caPem } as const;
    const entra = { secret: "s3cret", applicationCertificate: application };
    azure = await Azure.start({ folder, certificate, entra, arcProxy: { upstream } });
    writeFileSync(file("ca.pem"), certificate.caPem);
    writeFileSync(file("secret"), "s3cret\n");
    writeFileSync(file("application.pem"), application);
    writeFileSync(file("sa.token"), "sa-token\n");
  });
  afterAll(async () => {
    await azure.close();
    await apiserver.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    expect(azure.violations).toEqual([]);
    expect(azure.arcProxy.isRunning).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith("cluster-connect-"))).toEqual([]);
  });

  function start(...flags: string[]) {
    const address = [
      "--subscription-id",
      subscriptionId,
      "--resource-group",
      resourceGroup,
      "--tenant-id",
      tenantId,
    ];
    const cloud = ["--cloud", azure.arm.url, "--arc-proxy-registry", azure.registry.url];
    const args = [bundle("cli"), "proxy", "--cluster", "plant-7", ...address, ...cloud, ...flags];
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"] ?? "",
        TMPDIR: folder,
        XDG_CACHE_HOME: file("cache"),
        NODE_EXTRA_CA_CERTS: file("ca.pem"),
      },
    });
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    return {
      child,
      output: () => output,
      exited: once(child, "exit").then(() => child.exitCode),
      connected: () => eventually(() => output.includes("Ctrl-C ends"), 15_000),
    };
  }

  it("fetches arcProxy once, with the digest to pin it, says who it is connected as, and ends it at Ctrl-C", async () => {
    const kubeconfig = file("kubeconfig");
    const first = start(
      "--client-id",
      clientId,
      "--client-secret-file",
      file("secret"),
      "--merge-into",
      kubeconfig,
    );
    await first.connected();
    expect(first.output()).toMatch(/Fetched arcProxy; pin it: --arc-proxy-digest sha256:[0-9a-f]{64}/);
    expect(first.output()).toContain("Connecting to plant-7 through Azure Arc");
    expect(first.output()).toContain(`Connected to plant-7 (v1.36.3) as ${objectId} in`);
    expect(first.output()).not.toMatch(/trusted to name/);
    expect((await get(kubeconfig, "/api/v1/pods")).status).toBe(200);
    first.child.kill("SIGINT");
    expect(await first.exited).toBe(0);
    expect(azure.arcProxy.isRunning).toBe(false);
    expect(readFileSync(kubeconfig, "utf8")).not.toContain("plant-7");
    const digest = /sha256:[0-9a-f]{64}/.exec(first.output())![0];
    const second = start(
      "--client-id",
      clientId,
      "--client-certificate-file",
      file("application.pem"),
      "--arc-proxy-digest",
      digest,
    );
    await second.connected();
    expect(second.output()).not.toContain("etch");
    expect(existsSync(file("cache/cluster-connect/arcProxy/1.3.29301"))).toBe(true);
  }, 40_000);

  it("comes as a service account, with a token for ARM that another program prints", async () => {
    // As a person would with the az CLI; here with the application's secret.
    const script = `
      const body = new URLSearchParams({ client_id: "${clientId}", client_secret: "s3cret",
        grant_type: "client_credentials", scope: "https://management.azure.com/.default" });
      fetch("${azure.entra.url}/${tenantId}/oauth2/v2.0/token", { method: "POST", body: body.toString(),
        headers: { "Content-Type": "application/x-www-form-urlencoded" } })
        .then((response) => response.json())
        .then(({ access_token }) => console.log(JSON.stringify({ accessToken: access_token })));`;
    writeFileSync(file("print-token.cjs"), script);
    const { connected, output } = start(
      "--arm-token-command",
      `${process.execPath} ${file("print-token.cjs")}`,
      "--token-file",
      file("sa.token"),
    );
    await connected();
    expect(output()).toContain(`as ${accountOf("sa-token")} in`);
  }, 30_000);

  it("says what is wrong, before anything is fetched where the flags are", async () => {
    const before = azure.registry.pulled.length;
    const wrong = start("--client-id", clientId);
    expect(await wrong.exited).toBe(1);
    expect(wrong.output()).toContain("--client-id and one of");
    expect(azure.registry.pulled).toHaveLength(before);
    azure.arm.actions.clear();
    const refused = start("--client-id", clientId, "--client-secret-file", file("secret"));
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toContain("ERR_ARC_ROLE_MISSING");
    azure.arm.actions = new Set(["read", "listClusterUserCredential/action"]);
  }, 30_000);
});
