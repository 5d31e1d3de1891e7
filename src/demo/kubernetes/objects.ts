/** The objects of the embedded API, in memory, and what has lately happened to them. */
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** An object as somebody sends it: what the server alone decides is not looked at. */
export interface Draft {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ChangeEvent {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
}

export const maxObjects = 1_000;
/** A watch can begin at most this many changes ago. */
export const maxEvents = 1_000;

type Place = Pick<Draft, "kind" | "namespace" | "name">;
const keyOf = ({ kind, namespace = "", name }: Place) => `${kind}/${namespace}/${name}`;

export class ObjectStore extends EventEmitter<{ change: [event: ChangeEvent] }> {
  readonly #objects = new Map<string, KubeObject>();
  readonly #events: ChangeEvent[] = [];
  #version = 1;

  get version(): string {
    return String(this.#version);
  }

  get isFull(): boolean {
    return this.#objects.size >= maxObjects;
  }

  list(kind: string, namespace: string | undefined): KubeObject[] {
    return [...this.#objects.values()].filter(
      (object) =>
        object.kind === kind && (namespace === undefined || object.metadata.namespace === namespace),
    );
  }

  get(place: Place): KubeObject | undefined {
    return this.#objects.get(keyOf(place));
  }

  put(draft: Draft): KubeObject {
    const type = this.get(draft) === undefined ? "ADDED" : "MODIFIED";
    this.#version += 1;
    const object = this.render(draft);
    this.#objects.set(keyOf(draft), object);
    this.#happened(type, object);
    return object;
  }

  /** The object that `put` would store. */
  render({ kind, namespace, name, fields }: Draft): KubeObject {
    const earlier = this.get({ kind, namespace, name })?.metadata;
    return {
      ...fields,
      apiVersion: "v1",
      kind,
      metadata: {
        ...(fields["metadata"] as object | undefined),
        name,
        ...(namespace === undefined ? {} : { namespace }),
        uid: earlier?.uid ?? randomUUID(),
        resourceVersion: this.version,
        creationTimestamp: earlier?.creationTimestamp ?? new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      },
    };
  }

  delete(place: Place): KubeObject | undefined {
    const object = this.get(place);
    if (object === undefined) return undefined;
    this.#objects.delete(keyOf(place));
    this.#version += 1;
    this.#happened("DELETED", object);
    return object;
  }

  /** What has happened after a version; undefined when that is not known any more. */
  eventsAfter(version: number): readonly ChangeEvent[] | undefined {
    const oldest = this.#events[0]?.version ?? this.#version + 1;
    return version + 1 < oldest && this.#events.length === maxEvents
      ? undefined
      : this.#events.filter((event) => event.version > version);
  }

  #happened(type: ChangeEvent["type"], object: KubeObject): void {
    const at = { ...object, metadata: { ...object.metadata, resourceVersion: this.version } };
    const event = { version: this.#version, type, object: at };
    this.#events.push(event);
    if (this.#events.length > maxEvents) this.#events.shift();
    this.emit("change", event);
  }
}

/** A running pod's status: there is no kubelet here that would report one. */
export const runningStatus = (image: string) => ({
  phase: "Running",
  containerStatuses: [
    { name: "main", ready: true, restartCount: 0, image, imageID: "", state: { running: {} } },
  ],
});

/** What a cluster begins with: its namespace, the config map that each namespace has, and one pod. */
export function createObjects(): ObjectStore {
  const store = new ObjectStore();
  // One listener a watch.
  store.setMaxListeners(0);
  store.put({
    kind: "Namespace",
    namespace: undefined,
    name: "default",
    fields: { status: { phase: "Active" } },
  });
  store.put({ kind: "ConfigMap", namespace: "default", name: "kube-root-ca.crt", fields: { data: {} } });
  store.put({
    kind: "Pod",
    namespace: "default",
    name: "hello",
    fields: {
      spec: { containers: [{ name: "main", image: "demo" }], nodeName: "demo" },
      status: runningStatus("demo"),
    },
  });
  return store;
}
