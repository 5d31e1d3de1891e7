/** What most scenarios do: the same load on each of the three paths in turn, run after run. */
import { startBareChain } from "../paths/bare-chain";
import type { Path } from "../paths/path";
import { onStage, type Stage } from "../paths/stage";
import { startTarget } from "../paths/target";
import { startTunnel, type Tunnel } from "../paths/tunnel";
import type { BenchOptions } from "../scenario";

export interface ThreePaths {
  readonly direct: Path;
  readonly chain: Path;
  readonly tunnel: Tunnel;
}

/** One measurement of each path. */
export interface OfEach<Result> {
  readonly direct: Result;
  readonly chain: Result;
  readonly tunnel: Result;
}

export function withThreePaths<Result>(
  measure: (paths: ThreePaths, stage: Stage) => Promise<Result>,
): Promise<Result> {
  return onStage(async (stage) => {
    const direct = await startTarget(stage);
    const chain = await startBareChain(stage, direct);
    return measure({ direct, chain, tunnel: await startTunnel(stage, direct) }, stage);
  });
}

/** One result a run, each path measured right after the other, since a shared machine changes. */
export async function inTurn<Result>(
  { direct, chain, tunnel }: ThreePaths,
  { runs }: BenchOptions,
  measure: (path: Path) => Promise<Result>,
): Promise<OfEach<Result>[]> {
  const results: OfEach<Result>[] = [];
  for (let run = 0; run < runs; run += 1) {
    results.push({
      direct: await measure(direct),
      chain: await measure(chain),
      tunnel: await measure(tunnel),
    });
  }
  return results;
}
