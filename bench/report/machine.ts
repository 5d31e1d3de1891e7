import { cpus, loadavg, totalmem } from "node:os";

export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** One minute's load average when the run began: above a few tenths, others were at work too. */
  readonly load: number;
}

export const describeMachine = (): Machine => ({
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  load: Math.round((loadavg()[0] ?? Number.NaN) * 10) / 10,
});

export const machineLine = ({ node, platform, cpu, cores, memoryGiB, load }: Machine): string =>
  `Node ${node}, ${platform}, ${String(cores)} cores of ${cpu}, ${String(memoryGiB)} GiB, load ${String(load)} at the start.`;
