import { readFileSync } from "node:fs";
import { azurePipelines } from "../support/ci-systems";
import { endpoint } from "../support/fake-agent/environment";
import {
  applicationId,
  connectionId,
  exchangeAudience,
  genericConnectionId,
  tenantId,
} from "../support/fake-agent/identity-endpoints";
import { AgentJob } from "../support/fake-agent/job";
import { eventually } from "../support/eventually";
import type { JobOptions } from "../support/ci-job";
import { get } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";
import { clientKey, Stack, subject } from "../support/stack";

const { main, post } = azurePipelines;

/** What only Azure Pipelines has; test/e2e/ci-job.test.ts has the rest. */
describe("the task", () => {
  let apiserver: RecordingApiserver;
  let stack: Stack;
  let job: AgentJob;
  const startJob = async (options: Partial<JobOptions> = {}, lifetimeSeconds = 20) => {
    const mint = (audience: string) =>
      stack.issuer.mint({ repository: "octo/app" }, { audience, subject, lifetimeSeconds });
    return AgentJob.start({ mint, ...options });
  };
  const entra = (changes: Record<string, string> = {}) => ({ ...azurePipelines.inputs(stack), ...changes });
  /** Without Microsoft Entra. */
  const plain = (changes: Record<string, string> = {}) =>
    entra({ "azure-subscription": "", "relay-scope": "", "cluster-scope": "", ...changes });
  const key = { "relay-key-name": "ci", "relay-key": clientKey };

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
    stack = await Stack.start({ apiserver, sharedAudience: exchangeAudience });
  });
  afterAll(async () => {
    await stack.close();
    await apiserver.close();
  });
  beforeEach(async () => {
    job = await startJob();
  });
  afterEach(async () => {
    await job.run("one", post, {});
    expect(job.leftoverProcesses()).toEqual([]);
    expect(job.leftoverFiles()).toEqual([]);
    await job.close();
  });

  const subjects = () => new Set(job.identity.assertions.map((assertion) => assertion.subject));

  it("shows Microsoft Entra alone the assertion of a connection that Entra trusts", async () => {
    const result = await job.run("one", main, entra());
    expect([result.errors(), result.warnings()]).toEqual([[], []]);
    expect(subjects()).toEqual(new Set([connectionId]));
    expect(new Set(job.identity.audiences)).toEqual(new Set([stack.relayUrl, "cluster-connect/plant-7"]));
  });

  it("asks anew for assertion and tokens at half their life, long after main", async () => {
    await job.close();
    job = await startJob({}, 4);
    job.identity.lifetimeSeconds = 4;
    await job.run("one", main, entra());
    const before = job.identity.assertions.length;
    await eventually(() => job.identity.assertions.length >= before + 4, 15_000);
    expect((await get(job.environment["KUBECONFIG"]!, "/version")).status).toBe(200);
  });

  it("shows the relay a key, and the cluster the pipeline's own token", async () => {
    const result = await job.run("one", main, plain(key));
    expect([result.errors(), result.warnings()]).toEqual([[], []]);
    expect(result.log).toContain("The cluster is shown a token of this pipeline");
    expect(subjects()).toEqual(new Set(["pipeline"]));
  });

  it("shows the cluster a generic connection's token, with a warning", async () => {
    const connection = { "service-connection": genericConnectionId };
    const result = await job.run("one", main, plain({ ...key, ...connection }));
    expect(result.errors()).toEqual([]);
    expect(result.warnings()).toEqual([expect.stringContaining("a token of the service connection")]);
    expect(subjects()).toEqual(new Set([genericConnectionId]));
    expect(result.log).not.toContain("generic-password");
  });

  it("shows relay and cluster one token only when that is allowed, with a warning", async () => {
    const refused = await job.run("one", main, plain());
    expect(refused.errors()).toEqual([expect.stringContaining("(ERR_CI_SHARED_TOKEN)")]);
    expect(refused.errors()[0]).toContain("azureSubscription with relayScope and clusterScope");
    expect(job.identity.assertions).toEqual([]);
    const allowed = await job.run("one", main, plain({ "allow-shared-token": "true" }));
    expect(allowed.errors()).toEqual([]);
    expect(allowed.warnings()).toEqual([expect.stringContaining("can act as its subject in the cluster")]);
  });

  describe("says what is wrong with a service connection", () => {
    const other = "6a1b0c7e-0000-4000-8000-00000000000f";
    const parameters = { serviceprincipalid: applicationId, tenantid: tenantId };
    const withScheme = (scheme: string, changes: Record<string, string> = {}) =>
      endpoint(other, { scheme, parameters: { ...parameters, ...changes } });

    it.each<[string, Record<string, string>, string]>([
      [
        "has a secret",
        withScheme("ServicePrincipal", { serviceprincipalkey: "the-key" }),
        "serviceprincipal,",
      ],
      ["is a machine's identity", withScheme("ManagedServiceIdentity"), "managedserviceidentity,"],
      ["is unknown", {}, "unknown,"],
      ["names no tenant", withScheme("WorkloadIdentityFederation", { tenantid: "" }), "it has no tenantid"],
      [
        "names an authority without TLS",
        {
          ...withScheme("WorkloadIdentityFederation"),
          [`ENDPOINT_DATA_${other}_ENVIRONMENTAUTHORITYURL`]: "http://login.invalid/",
        },
        'its authority is "http://login.invalid/"',
      ],
    ])("that %s", async (_, env, words) => {
      const result = await job.run("one", main, entra({ "azure-subscription": other }), { env });
      expect(result.errors()).toEqual([expect.stringContaining("(ERR_CI_SERVICE_CONNECTION)")]);
      expect(result.errors()[0]).toContain(words);
      expect(result.unmasked).not.toContain("the-key");
      expect(job.identity.assertions).toEqual([]);
    });

    it("that Entra trusts and that the cluster was to be shown", async () => {
      const inputs = plain({ ...key, "service-connection": connectionId });
      const result = await job.run("one", main, inputs);
      expect(result.errors()).toEqual([expect.stringContaining("(ERR_CI_SERVICE_CONNECTION)")]);
      expect(job.identity.assertions).toEqual([]);
    });
  });

  it.each([
    [503, "ERR_ENTRA_UNREACHABLE"],
    [400, "ERR_ENTRA_REFUSED"],
  ])("names Microsoft Entra when that answers %i", async (status, code) => {
    job.identity.entraFailingStatus = status;
    const result = await job.run("one", main, entra());
    expect(result.errors()).toEqual([expect.stringContaining(`(${code})`)]);
    if (status === 400) expect(result.errors()[0]).toContain(`subject "${subject}"`);
    expect(result.log).not.toMatch(/eyJ/);
  });

  it("repeats no secret in a debugger's run", async () => {
    const env = { SYSTEM_DEBUG: "true" };
    const result = await job.run("one", main, plain(key), { env });
    const undone = await job.run("one", post, plain(key), { env });
    expect(undone.log).toContain("[group] The client proxy's log");
    for (const text of [result.unmasked, undone.unmasked]) {
      expect(text).not.toContain(clientKey);
      expect(text).not.toContain(job.identity.requestToken);
    }
  });

  it("gives the background process an environment of the names that it needs and no other", async () => {
    await job.run("one", main, plain(key), { env: { SECRET_OTHER: "secret", HTTPS_PROXY: "" } });
    const [pid] = job.leftoverProcesses();
    const names = readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .filter(Boolean)
      .map((line) => line.split("=")[0]);
    expect(names.sort()).toEqual(["HTTPS_PROXY", "PATH", "VSTS_PROCESS_LOOKUP_ID"]);
  });

  it("sets KUBECONFIG for later tasks by that name, and its outputs under the step's", async () => {
    const result = await job.run("one", main, plain(key));
    const set = result.stdout.match(/^##vso\[task\.setvariable .*$/gm) ?? [];
    const plainly = set.filter((line) => line.includes("isOutput=false;"));
    expect(plainly.map((line) => /variable=(\w+)/.exec(line)?.[1])).toEqual([
      "KUBECONFIG",
      "KUBE_CONFIG_PATH",
    ]);
    expect(set.filter((line) => line.includes("isOutput=true;"))).toHaveLength(5);
    expect(set.join()).not.toMatch(/issecret=true/);
  });
});
