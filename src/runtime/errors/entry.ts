/** Where on the way from the job to the apiserver something fails. */
export const hops = [
  "configuration",
  "identity provider",
  "Microsoft Entra",
  "Azure Resource Manager",
  "registry",
  "arcProxy",
  "kube-aad-proxy",
  "outbound proxy",
  "client proxy",
  "relay",
  "agent",
  "auth proxy",
  "apiserver",
  "CI job",
  "demo",
  /** For what can happen anywhere; the error itself then names its hop. */
  "the program that reports it",
] as const;
export type Hop = (typeof hops)[number];

/** Who can mend it. */
export type Owner = "workflow author" | "cluster operator" | "relay operator" | "Cluster Connect maintainers";

export interface ErrorEntry {
  readonly hop: Hop;
  readonly owner: Owner;
  /** What failed, as a clause that can be followed by a colon and the particulars. */
  readonly summary: string;
  readonly cause: string;
  readonly remedy: string;
}

/** Keeps a table's codes as literal types while its rows are checked. */
export const errorTable = <Code extends `ERR_${string}`>(table: Record<Code, ErrorEntry>) => table;
