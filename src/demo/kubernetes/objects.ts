/** The objects of the embedded API: config maps that can be changed, one pod that cannot. */
import { EventEmitter } from "node:events";

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
  };
  [field: string]: unknown;
}

export const namespace = "default";

export class ObjectStore extends EventEmitter<{ change: [type: string, object: KubeObject] }> {
  readonly #objects = new Map<string, KubeObject>();
  #version = 1;

  get version(): string {
    return String(this.#version);
  }

  list(kind: string): KubeObject[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind);
  }

  get(kind: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${kind}/${name}`);
  }

  put(kind: string, name: string, fields: Readonly<Record<string, unknown>>): KubeObject {
    this.#version += 1;
    const earlier = this.get(kind, name);
    const object: KubeObject = {
      ...fields,
      apiVersion: "v1",
      kind,
      metadata: {
        name,
        namespace,
        uid: earlier?.metadata.uid ?? `00000000-0000-4000-8000-${String(this.#version).padStart(12, "0")}`,
        resourceVersion: this.version,
        creationTimestamp:
          earlier?.metadata.creationTimestamp ?? new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      },
    };
    this.#objects.set(`${kind}/${name}`, object);
    this.emit("change", earlier === undefined ? "ADDED" : "MODIFIED", object);
    return object;
  }

  delete(kind: string, name: string): KubeObject | undefined {
    const object = this.get(kind, name);
    if (object === undefined) return undefined;
    this.#objects.delete(`${kind}/${name}`);
    this.#version += 1;
    this.emit("change", "DELETED", object);
    return object;
  }
}

export function createObjects(): ObjectStore {
  const store = new ObjectStore();
  store.setMaxListeners(0);
  store.put("Pod", "hello", {
    spec: { containers: [{ name: "main", image: "demo" }], nodeName: "demo" },
    status: {
      phase: "Running",
      containerStatuses: [
        { name: "main", ready: true, restartCount: 0, image: "demo", imageID: "", state: { running: {} } },
      ],
    },
  });
  return store;
}
