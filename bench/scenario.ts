import type { Row } from "./report/row";

export interface BenchOptions {
  /** Each measurement is taken this often; rows hold medians. */
  readonly runs: number;
  /** Bytes, requests, seconds and crowds are multiplied by it: 1 for a result, less to see that it runs. */
  readonly scale: number;
  readonly progress: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  run(options: BenchOptions): Promise<Row[]>;
}

/** At least one of something. */
export const scaled = (value: number, { scale }: BenchOptions): number =>
  Math.max(1, Math.round(value * scale));
