import type { ControlStatus } from "./control";

/** Counted since the start; what the job's summary shows. */
export type Statistics = { -readonly [name in keyof ControlStatus["statistics"]]: number };

export const createStatistics = (): Statistics => ({
  streams: 0,
  bytesToCluster: 0,
  bytesFromCluster: 0,
  lostStreams: 0,
  answeredLocally: 0,
  linksLost: 0,
});
