/** Loads run in processes of their own, so that neither their work nor their memory is that of what they measure. */
import { startModule, type StartedProcess } from "../measure/started-process";

/** Runs a module of this folder to its end and returns what it has measured. */
export async function runLoad<Result>(name: string, options: unknown): Promise<Result> {
  const load = await startModule(`load/${name}`, options);
  await load.kill();
  return load.ready as Result;
}

/** Starts a load that goes on until it is killed; resolves once it is under way. */
export const startLoad = (name: string, options: unknown): Promise<StartedProcess> =>
  startModule(`load/${name}`, options);
