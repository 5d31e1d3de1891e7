import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { accountOf } from "../support/azure/arc-proxy/settings";
import { otherClusterName } from "../support/azure/arm";
import { AzureForJobs } from "../support/azure/azure-job";
import { objectId } from "../support/azure/entra";
import type { CiJob } from "../support/ci-job";
import { systems } from "../support/ci-systems";
import { eventually } from "../support/eventually";
import { get, openStream } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";

describe.each(systems)("%s through Azure Arc", (_name, ci) => {
  const { main, post } = ci;
  let apiserver: RecordingApiserver;
  let world: AzureForJobs;
  let job: CiJob;
  const inputs = (changes: Record<string, string> = {}) => ({ ...world.inputs(ci), ...changes });
  const expectNothingLeft = () => {
    expect(job.leftoverProcesses()).toEqual([]);
    expect(job.leftoverFiles()).toEqual([]);
    expect(world.azure.arcProxy.isRunning).toBe(false);
  };

  beforeAll(async () => {
    apiserver = await startSmallApiserver();
    const upstream = { kind: "direct", url: apiserver.url, caPem: apiserver.caPem } as const;
    world = await AzureForJobs.start({ arcProxy: { upstream } });
  });
  afterAll(async () => {
    await world.close();
    await apiserver.close();
  });
  beforeEach(async () => {
    job = await world.startJob(ci);
  });
  afterEach(async () => {
    await world.closeJobs();
    expect(world.azure.violations).toEqual([]);
    expect(apiserver.withoutUser()).toEqual([]);
    world.restore();
  });

  it("fetches arcProxy before everything else, connects, serves, and leaves nothing but what it has fetched", async () => {
    const result = await job.run("one", main, inputs());
    expect(result.errors()).toEqual([]);
    expect(result.warnings()).toEqual([]);
    expect(result.stdout).toMatch(/Fetching arcProxy: 100 % of 0\.0 MB/);
    expect(result.stdout).toMatch(/arcProxy 1\.3\.029301 \(fetched\), sha256:[0-9a-f]{64}/);
    expect(result.stdout).toMatch(
      new RegExp(`^Connected to plant-7 \\(v1\\.36\\.3\\) as ${objectId} in `, "m"),
    );
    expect(result.stdout).toMatch(/s {2}Registered both with arcProxy$/m);
    const path = job.environment["KUBECONFIG"]!;
    expect(result.outputs).toMatchObject({
      identity: objectId,
      "kubeconfig-path": path,
      "context-name": "plant-7",
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await get(path, "/api/v1/pods")).body)).toMatchObject({ seen: objectId });
    const undone = await job.run("one", post, {});
    expect(undone.warnings()).toEqual([]);
    expect(undone.summary).toContain(`| Identity | ${objectId} |`);
    expectNothingLeft();
    const kept = readdirSync(join(job.folder, "_tool/arcProxy/1.3.29301"), {
      recursive: true,
      encoding: "utf8",
    });
    expect(kept.map((name) => name.split("/").at(-1))).toEqual(
      expect.arrayContaining(["arcProxy", "LICENSE.txt", "ThirdPartyNotice.txt"]),
    );
    const again = await job.run("two", main, inputs());
    expect(again.stdout).toMatch(/arcProxy 1\.3\.029301 \(cached\), sha256:/);
    await job.run("two", post, {});
    expectNothingLeft();
  });

  it("keeps every secret out of arguments, environments, files that stay, logs and state", async () => {
    const result = await job.run("one", main, inputs({ "log-level": "debug", token: "sa-token-of-the-job" }));
    expect(result.errors()).toEqual([]);
    const instance = dirname(job.environment["KUBECONFIG"]!);
    const processes = job.leftoverProcesses();
    expect(processes).toHaveLength(2);
    const texts = [
      ...processes.flatMap((pid) =>
        ["environ", "cmdline"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8")),
      ),
      ...["client-proxy.log", "arc-proxy.log", "arc-proxy/config.yml"].map((name) =>
        readFileSync(join(instance, name), "utf8"),
      ),
      result.unmasked,
      JSON.stringify(job.stateOf("one")),
    ];
    for (const text of texts) {
      expect(text).not.toContain(job.identity.requestToken);
      expect(text).not.toContain("sa-token-of-the-job");
      expect(text).not.toMatch(/eyJ[\w-]+\.eyJ|SharedAccessSignature sr/);
    }
    expect(result.outputs["identity"]).toBe(accountOf("sa-token-of-the-job"));
    await job.run("one", post, {});
    expectNothingLeft();
  });

  it("shows its assertions to Microsoft Entra alone, a fresh one each time", async () => {
    await job.run("one", main, inputs());
    // The stand-in for Entra takes no assertion twice; for nobody else was a token asked for.
    expect(world.azure.entra.issued.slice(-2).sort()).toEqual([
      "6256c85f-0aad-4d50-b960-e6e9b21efe35/.default",
      "https://management.azure.com/.default",
    ]);
    if (ci.system === "github") {
      expect(new Set(job.identity.audiences)).toEqual(new Set(["api://AzureADTokenExchange"]));
    }
    await job.run("one", post, {});
  });

  it("reaches two clusters in one job, side by side, and unwinds in reverse", async () => {
    await job.run("one", main, inputs());
    const first = job.environment["KUBECONFIG"]!;
    const second = await job.run("two", main, inputs({ "cluster-name": otherClusterName }));
    expect(second.errors()).toEqual([]);
    const merged = readFileSync(job.environment["KUBECONFIG"]!, "utf8");
    expect(merged).toContain("current-context: plant-8");
    expect(merged).toContain("name: plant-7");
    for (const path of [first, job.environment["KUBECONFIG"]!]) {
      expect((await get(path, "/api/v1/pods")).status).toBe(200);
    }
    await job.run("two", post, {});
    expect(job.environment["KUBECONFIG"]).toBe(first);
    expect((await get(first, "/api/v1/pods")).status).toBe(200);
    await job.run("one", post, {});
    expectNothingLeft();
  });

  it("leaves nothing when it is cancelled, when main is killed, and when the client proxy is", async () => {
    for (const kill of [false, true]) {
      world.azure.arm.agent = "gone";
      const started = eventually(() => world.azure.arcProxy.isRunning, 15_000);
      await job.run("one", main, inputs(), { cancelAfter: started, kill });
      await job.run("one", post, {});
      expectNothingLeft();
    }
    world.azure.arm.agent = "connected";
    await job.run("two", main, inputs());
    const instance = dirname(job.environment["KUBECONFIG"]!);
    const isProxy = (pid: number) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(instance);
    const [proxy] = job.leftoverProcesses().filter(isProxy);
    process.kill(proxy!, "SIGKILL");
    await eventually(() => job.leftoverProcesses().length === 1);
    expect(world.azure.arcProxy.isRunning).toBe(true);
    await job.run("two", post, {});
    expectNothingLeft();
  });

  it("ends a client proxy that hangs and an arcProxy that is deaf, within ten seconds", async () => {
    world.azure.arcProxy.faults = { ignoresSigterm: true };
    await job.run("one", main, inputs());
    const deaf = world.azure.arcProxy.pids.at(-1);
    const [hanging] = job.leftoverProcesses().filter((pid) => pid !== deaf);
    process.kill(hanging!, "SIGSTOP");
    const undone = await job.run("one", post, {});
    expect(undone.exitCode).toBe(0);
    expect(undone.durationMs).toBeLessThan(10_000);
    expectNothingLeft();
  });

  it("is over with the job even if post never runs: the CI system's sweep finds arcProxy too", async () => {
    await job.run("one", main, inputs());
    expect(job.sweep()).toHaveLength(2);
    await eventually(() => job.leftoverProcesses().length === 0);
  });

  it("counts and names what a crash of arcProxy has cost", async () => {
    await job.run("one", main, inputs());
    const watch = await openStream(job.environment["KUBECONFIG"]!, "/api/v1/pods?watch=true");
    process.kill(world.azure.arcProxy.pids.at(-1)!, "SIGKILL");
    expect(await watch.over).toBe("lost");
    const undone = await job.run("one", post, {});
    expect(undone.warnings().join()).toMatch(/\d of \d+ connections were lost/);
    expectNothingLeft();
  });

  it("takes an arcProxy that is there, without any registry, if its digest is right", async () => {
    const { path } = world.azure.arcProxy;
    const offline = { "arc-proxy-path": path, "arc-proxy-registry": "https://127.0.0.1:1" };
    const wrong = await job.run(
      "one",
      main,
      inputs({ ...offline, "arc-proxy-digest": `sha256:${"0".repeat(64)}` }),
    );
    expect(wrong.errors()).toEqual([expect.stringContaining("(ERR_ARC_PROXY_DIGEST)")]);
    const digest = / is (sha256:[0-9a-f]{64}), not /.exec(wrong.errors()[0]!)![1]!;
    const right = await job.run("two", main, inputs({ ...offline, "arc-proxy-digest": digest }));
    expect(right.errors()).toEqual([]);
    await job.run("two", post, {});
    expectNothingLeft();
  });
});
