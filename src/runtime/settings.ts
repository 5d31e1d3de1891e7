/**
 * Reads a process's configuration once, at the edge: YAML, strict. An unknown key is an error that names the key
 * and the nearest known one, because a mistyped rule must never be a missing rule.
 */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { z } from "zod";
import { ClusterConnectError, messageOf } from "./errors";
import { nearest } from "./nearest";

/** Parses and validates the YAML file at `path`. Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID. */
export function loadSettings<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  let document: unknown;
  try {
    document = parse(readFileSync(path, "utf8"), { uniqueKeys: true });
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", `${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return validateSettings(document, schema, path);
}

/** Validates an already parsed document; `source` names it in messages. Returns a frozen value. */
export function validateSettings<Schema extends z.ZodType>(
  document: unknown,
  schema: Schema,
  source: string,
): z.output<Schema> {
  const result = schema.safeParse(document ?? {});
  if (result.success) return Object.freeze(result.data) as z.output<Schema>;
  const problems = result.error.issues.flatMap(issuesOf).map((issue) => describe(issue, schema));
  throw new ClusterConnectError("ERR_SETTINGS_INVALID", `${source}: ${problems.join("; ")}`);
}

/** Of alternatives none of which fits, what is wrong with the one that fits best: which was meant is not said. */
function issuesOf(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(...issues.map(({ path }) => path.length));
  const [best = []] = [...issue.errors].sort(
    (one, other) => depth(other) - depth(one) || one.length - other.length,
  );
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(issuesOf);
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const place = issue.path.map(String).join(".");
  if (issue.code !== "unrecognized_keys") return `${place === "" ? "(top level)" : place}: ${issue.message}`;
  const known = knownKeys(schema, issue.path);
  return issue.keys
    .map((key) => {
      const suggestion = nearest(key, known);
      const hint = suggestion === undefined ? "" : `, did you mean "${suggestion}"?`;
      return `unknown key "${place === "" ? key : `${place}.${key}`}"${hint}`;
    })
    .join("; ");
}

/** Every key that an object schema allows at `path`, over all the branches of unions. */
function knownKeys(schema: unknown, path: readonly PropertyKey[]): string[] {
  const node = schema as { def?: SchemaDefinition } | undefined;
  const def = node?.def;
  if (def === undefined) return [];
  if (def.innerType !== undefined) return knownKeys(def.innerType, path);
  if (def.in !== undefined) return knownKeys(def.in, path);
  if (def.options !== undefined) return def.options.flatMap((option) => knownKeys(option, path));
  const [head, ...rest] = path;
  if (head === undefined) return Object.keys(def.shape ?? {});
  if (def.element !== undefined) return knownKeys(def.element, rest);
  if (def.valueType !== undefined) return knownKeys(def.valueType, rest);
  return knownKeys(def.shape?.[String(head)], rest);
}

interface SchemaDefinition {
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly options?: readonly unknown[];
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly shape?: Readonly<Record<string, unknown>>;
}
