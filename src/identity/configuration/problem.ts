/** Something wrong with a configuration, as the kube-apiserver would say it: where, what kind, why. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly kind: ProblemKind;
  readonly detail: string;
}

export type ProblemKind =
  "Required value" | "Invalid value" | "Duplicate value" | "Too many" | "Internal error";

/** Collects what is wrong under one path. */
export class Problems {
  constructor(
    private readonly found: Problem[] = [],
    private readonly path: readonly (string | number)[] = [],
  ) {}

  at(...path: (string | number)[]): Problems {
    return new Problems(this.found, [...this.path, ...path]);
  }

  add(kind: ProblemKind, detail = ""): void {
    this.found.push({ path: this.path, kind, detail });
  }

  required(detail = ""): void {
    this.add("Required value", detail);
  }

  invalid(detail: string): void {
    this.add("Invalid value", detail);
  }

  duplicate(value: string): void {
    this.add("Duplicate value", JSON.stringify(value));
  }

  get all(): readonly Problem[] {
    return this.found;
  }
}

/** Reports each repetition at its own path. */
export function reportDuplicates(values: readonly string[], at: (index: number) => Problems): void {
  const seen = new Set<string>();
  for (const [index, value] of values.entries()) {
    if (seen.has(value)) at(index).duplicate(value);
    seen.add(value);
  }
}

export const problemText = ({ kind, detail }: Problem): string =>
  detail === "" ? kind : `${kind}: ${detail}`;
