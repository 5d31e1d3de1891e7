import { AzureForJobs } from "../support/azure/azure-job";
import type { CiJob } from "../support/ci-job";
import { githubActions as ci } from "../support/ci-systems";
import { eventually } from "../support/eventually";
import { get, openStream } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Jobs through Azure Arc that outlive every token, compressed in time. */
describe("a long job through Azure Arc", () => {
  let apiserver: RecordingApiserver;
  let world: AzureForJobs;
  let job: CiJob;

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
    const undone = await job.run("one", ci.post, {});
    expect(undone.warnings()).toEqual([]);
    expect(job.leftoverProcesses()).toEqual([]);
    expect(job.leftoverFiles()).toEqual([]);
    await world.closeJobs();
    expect(world.azure.violations).toEqual([]);
    world.assertionLifetimeMs = undefined;
    world.azure.entra.service.outage = undefined;
  });

  /** Runs main with tokens of these lives, and returns what asks the cluster as kubectl would. */
  async function connected(lives: {
    tokenSeconds: number;
    relaySeconds: number;
  }): Promise<() => Promise<number>> {
    world.azure.entra.lifetimeSeconds = lives.tokenSeconds;
    world.azure.arm.relayLifetimeSeconds = lives.relaySeconds;
    const result = await job.run("one", ci.main, world.inputs(ci));
    expect(result.errors()).toEqual([]);
    const path = job.environment["KUBECONFIG"]!;
    return async () => (await get(path, "/api/v1/pods")).status;
  }

  it("of 26 hours is served all the time, with assertions of 5 minutes, tokens of 75 and a relay of 3 hours", async () => {
    // An hour is two seconds.
    const hour = 2_000;
    const ask = await connected({ tokenSeconds: 2.5, relaySeconds: 6 });
    world.assertionLifetimeMs = (hour * 5) / 60;
    const watch = await openStream(job.environment["KUBECONFIG"]!, "/api/v1/pods?watch=true");
    let isOver = false;
    void watch.over.then(() => (isOver = true));
    const tokens = world.azure.arcProxy.events("token").length;
    const registrations = world.azure.arcProxy.events("registered").length;
    const statuses: number[] = [];
    for (const end = Date.now() + 26 * hour; Date.now() < end; await pause(100)) statuses.push(await ask());
    expect(statuses.length).toBeGreaterThan(50);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(isOver).toBe(false);
    expect(world.azure.arcProxy.events("token").length - tokens).toBeGreaterThan(26 / 1.25);
    expect(world.azure.arcProxy.events("registered").length - registrations).toBeGreaterThan(26 / 3);
    expect(world.azure.arcProxy.pids).toHaveLength(1);
    watch.outgoing.destroy();
  }, 120_000);

  it("does not notice that Entra is down for ten minutes and that ARM throttles, just when both are to be renewed", async () => {
    // A minute is a third of a second.
    const ask = await connected({ tokenSeconds: 20, relaySeconds: 18 });
    await pause(world.azure.arcProxy.events("registered").at(-1)!.at + 8_000 - Date.now());
    world.azure.arm.throttled = 2;
    world.azure.entra.service.outage = "hangs-up";
    const before = world.azure.entra.service.requests.length;
    for (const end = Date.now() + 3_400; Date.now() < end; await pause(200)) expect(await ask()).toBe(200);
    world.azure.entra.service.outage = undefined;
    expect(world.azure.entra.service.requests.length).toBeGreaterThan(before);
    const renewed = world.azure.arcProxy.events("token").length;
    await eventually(() => world.azure.arcProxy.events("token").length > renewed, 10_000);
    // On a busy machine the renewal may have come before the throttling: the next one meets it.
    await eventually(() => world.azure.arm.throttled === 0, 20_000);
    expect(await ask()).toBe(200);
  }, 60_000);

  it("goes on, without a failed request, on a machine that has slept beyond the relay's credential", async () => {
    const ask = await connected({ tokenSeconds: 30, relaySeconds: 4 });
    expect(await ask()).toBe(200);
    const processes = job.leftoverProcesses();
    expect(processes).toHaveLength(2);
    for (const pid of processes) process.kill(pid, "SIGSTOP");
    await pause(5_000);
    world.azure.arm.relayLifetimeSeconds = 600;
    for (const pid of processes) process.kill(pid, "SIGCONT");
    expect(await ask()).toBe(200);
  }, 60_000);
});
