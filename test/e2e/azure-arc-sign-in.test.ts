import { readFileSync } from "node:fs";
import { createApplicationCertificate } from "../support/azure/application-certificate";
import { AzureForJobs } from "../support/azure/azure-job";
import { objectId } from "../support/azure/entra";
import type { CiJob } from "../support/ci-job";
import { githubActions as ci } from "../support/ci-systems";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";

/** Without the job's identity, which a job then needs no permission for. */
describe("a job through Azure Arc", () => {
  let apiserver: RecordingApiserver;
  let world: AzureForJobs;
  let certificate: string;
  let job: CiJob;

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
    certificate = await createApplicationCertificate();
    const upstream = { kind: "direct", url: apiserver.url, caPem: apiserver.caPem } as const;
    const entra = { secret: "s3cret-of-the-application", applicationCertificate: certificate };
    world = await AzureForJobs.start({ arcProxy: { upstream }, entra });
  });
  afterAll(async () => {
    await world.close();
    await apiserver.close();
  });
  beforeEach(async () => {
    job = await world.startJob(ci);
  });
  afterEach(async () => {
    await job.run("one", ci.post, {});
    expect(job.leftoverProcesses()).toEqual([]);
    expect(job.leftoverFiles()).toEqual([]);
    await world.closeJobs();
    expect(world.azure.violations).toEqual([]);
  });

  it.each([
    ["secret", (): string => "s3cret-of-the-application", /s3cret-of-the/],
    ["certificate", (): string => certificate, /BEGIN (RSA )?PRIVATE KEY/],
  ] as const)("signs in with the application's own %s", async (kind, value, secret) => {
    const result = await job.run("one", ci.main, { ...world.inputs(ci), [`client-${kind}`]: value() });
    expect(result.errors()).toEqual([]);
    expect(result.outputs["identity"]).toBe(objectId);
    expect(job.identity.audiences).toEqual([]);
    const processes = job.leftoverProcesses();
    expect(processes).toHaveLength(2);
    const texts = processes.flatMap((pid) =>
      ["environ", "cmdline"].map((name) => readFileSync(`/proc/${String(pid)}/${name}`, "utf8")),
    );
    for (const text of [...texts, result.unmasked, JSON.stringify(job.stateOf("one"))]) {
      expect(text).not.toMatch(secret);
    }
  });

  it("is told when the secret is no longer the application's", async () => {
    const result = await job.run("one", ci.main, { ...world.inputs(ci), "client-secret": "an-old-one" });
    expect(result.errors()).toEqual([expect.stringContaining("(ERR_ENTRA_SECRET_REFUSED)")]);
  });
});
