/** Every value that crosses from main to post: paths and names, no secret. Saved before the side effect it undoes. */
import type { CiPlatform } from "./platform";

type StateName =
  | "instanceDirectory"
  | "clusterName"
  /** `relay` or `arc`. */
  | "way"
  /** Milliseconds since the epoch. */
  | "connectedAt"
  | "kubeconfigPath"
  | "previousKubeconfig"
  | "previousKubeConfigPath"
  | "summary";

export class JobState {
  constructor(private readonly platform: CiPlatform) {}

  save(name: StateName, value: string): void {
    this.platform.state.save(name, value);
  }

  /** Undefined when main did not come so far. */
  read(name: StateName): string | undefined {
    const value = this.platform.state.read(name);
    return value === "" ? undefined : value;
  }
}
