import type { CiJob } from "../ci-job";
import type { CiUnderTest } from "../ci-systems";
import type { RecordingApiserver } from "../recording-apiserver";
import { startSmallApiserver } from "../small-apiserver";
import { AzureForJobs } from "./azure-job";

export interface AzureArcCase {
  readonly apiserver: RecordingApiserver;
  readonly world: AzureForJobs;
  readonly job: CiJob;
  /** Those of a job through Azure Arc, changed. */
  inputs(changes?: Record<string, string>): Record<string, string>;
  expectNothingLeft(): void;
}

/** A cluster behind Azure Arc for the enclosing `describe`, and a job for each of its cases. */
export function useAzureArc(ci: CiUnderTest): AzureArcCase {
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
    await world.closeJobs();
    expect(world.azure.violations).toEqual([]);
    expect(apiserver.withoutUser()).toEqual([]);
    world.restore();
  });
  return {
    get apiserver() {
      return apiserver;
    },
    get world() {
      return world;
    },
    get job() {
      return job;
    },
    inputs: (changes = {}) => ({ ...world.inputs(ci), ...changes }),
    expectNothingLeft() {
      expect(job.leftoverProcesses()).toEqual([]);
      expect(job.leftoverFiles()).toEqual([]);
      expect(world.azure.arcProxy.isRunning).toBe(false);
    },
  };
}
