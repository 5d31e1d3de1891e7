import { demoClaims } from "../issuer";

/** Something that is done with the cluster between main and post. */
export interface Visit {
  /** As a person would type it. */
  readonly title: string;
  /** Resolves with what to show; rejects when something else came than was expected. */
  run(place: Place): Promise<string>;
}

export interface Place {
  readonly kubeconfig: string;
  /** For files that a visit needs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Who the cluster should think it is visited by. */
export const visitor = `github:${demoClaims.sub}`;

export const configMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "visit" },
  data: { by: "the demo" },
};

export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`not what was expected: ${otherwise.trim().slice(0, 500)}`);
}
