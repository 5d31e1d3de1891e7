/** Create, update, patch, apply and delete. */
import type { IncomingMessage } from "node:http";
import { parse } from "yaml";
import { readBody, Refusal } from "./answers";
import { isObject, mergePatch } from "./merge-patch";
import { runningStatus, type Draft, type KubeObject, type ObjectStore } from "./objects";
import type { Target } from "./resources";

const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const mergeTypes = ["application/merge-patch+json", "application/strategic-merge-patch+json"];
const applyType = "application/apply-patch+yaml";

export interface Changed {
  readonly status: 200 | 201;
  readonly object: KubeObject;
}

/** Carries out a changing request. Throws a Refusal. */
export async function change(
  request: IncomingMessage,
  store: ObjectStore,
  target: Target,
  isDryRun: boolean,
): Promise<Changed> {
  if (request.method === "DELETE") return { status: 200, object: remove(store, target, isDryRun) };
  const body = readObject(await readBody(request));
  const { draft, earlier } = draftOf(request, store, target, body);
  if (draft.namespace !== undefined && !has(store, draft.namespace)) {
    throw new Refusal(404, `namespaces "${draft.namespace}" not found`);
  }
  if (earlier === undefined && store.isFull) throw new Refusal(507, "the demo keeps no more objects");
  const object = isDryRun ? store.render(draft) : store.put(draft);
  return { status: earlier === undefined ? 201 : 200, object };
}

const has = (store: ObjectStore, namespace: string) =>
  store.get({ kind: "Namespace", namespace: undefined, name: namespace }) !== undefined;

function draftOf(
  request: IncomingMessage,
  store: ObjectStore,
  target: Target,
  body: Record<string, unknown>,
): { draft: Draft; earlier: KubeObject | undefined } {
  const { kind, plural } = target.resource;
  const metadata = isObject(body["metadata"]) ? body["metadata"] : {};
  const name = target.name ?? metadata["name"];
  if (typeof name !== "string" || !objectName.test(name))
    throw new Refusal(400, "metadata.name is not a name");
  const place = { kind, namespace: target.namespace, name };
  const earlier = store.get(place);
  const type = request.headers["content-type"]?.split(";")[0];
  const creates = request.method === "POST" || (request.method === "PATCH" && type === applyType);
  if (request.method === "POST" && earlier !== undefined) {
    throw new Refusal(409, `${plural} "${name}" already exists`);
  }
  if (!creates && earlier === undefined) throw new Refusal(404, `${plural} "${name}" not found`);
  const fields = request.method === "PATCH" ? patched(type, earlier, body) : body;
  return { draft: { ...place, fields: withStatus(kind, fields) }, earlier };
}

function patched(type: string | undefined, earlier: KubeObject | undefined, patch: object) {
  if (type !== applyType && !mergeTypes.includes(type ?? "")) {
    throw new Refusal(415, `the demo patches by ${[...mergeTypes, applyType].join(", ")}`);
  }
  return mergePatch(earlier ?? {}, patch) as Record<string, unknown>;
}

function withStatus(kind: string, fields: Record<string, unknown>): Record<string, unknown> {
  return kind === "Pod" ? { ...fields, status: runningStatus("demo") } : fields;
}

function remove(store: ObjectStore, target: Target, isDryRun: boolean): KubeObject {
  const { resource, namespace, name } = target;
  if (name === undefined) throw new Refusal(405, "the demo deletes one object at a time");
  if (resource.kind === "Namespace" && name === "default") throw new Refusal(403, "the demo lives here");
  const place = { kind: resource.kind, namespace, name };
  const object = isDryRun ? store.get(place) : store.delete(place);
  if (object === undefined) throw new Refusal(404, `${resource.plural} "${name}" not found`);
  if (resource.kind === "Namespace" && !isDryRun) {
    for (const kind of ["ConfigMap", "Pod"]) {
      for (const { metadata } of store.list(kind, name)) {
        store.delete({ kind, namespace: name, name: metadata.name });
      }
    }
  }
  return object;
}

/** JSON is YAML, and server-side apply sends either. */
function readObject(text: string): Record<string, unknown> {
  const value: unknown = parse(text, { maxAliasCount: 0 });
  if (!isObject(value)) throw new Refusal(400, "the body is not an object");
  return value;
}
