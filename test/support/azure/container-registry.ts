/** The container registry that arcProxy is published in, and the storage behind it that its blobs are fetched from. */
import { createHash, randomUUID } from "node:crypto";
import type { TestCertificate } from "../certificate";
import { Service, type ServiceAnswer, type ServiceRequest } from "./service";

export interface RegistryFaults {
  /** The storage sends other bytes than were announced, of the same number. */
  altered?: boolean;
  /** Cuts that many blob downloads in the middle. */
  truncations?: number;
  /** Lists the layer twice. */
  twoLayers?: boolean;
  /** Redirects to a server without TLS, or for ever. */
  redirect?: "insecure" | "endless";
}

const version = "1.3.029301";
const manifestType = "application/vnd.oci.image.manifest.v1+json";

export class ContainerRegistry {
  registry!: Service;
  storage!: Service;
  readonly faults: RegistryFaults = {};
  /** Manifests served, as OS and architecture. */
  readonly pulled: string[] = [];
  readonly #tokens = new Set<string>();
  readonly #signatures = new Set<string>();

  private constructor(readonly layer: Buffer) {}

  /** Serves `layer` as the artifact of every system and architecture. */
  static async start(layer: Buffer, certificate?: TestCertificate): Promise<ContainerRegistry> {
    const registry = new ContainerRegistry(layer);
    registry.registry = await Service.start("registry", certificate, (request) =>
      Promise.resolve(registry.#answer(request)),
    );
    registry.storage = await Service.start("storage", certificate, (request) =>
      Promise.resolve(registry.#blob(request)),
    );
    return registry;
  }

  get url(): string {
    return this.registry.url;
  }

  get violations(): string[] {
    return [...this.registry.violations, ...this.storage.violations];
  }

  get digest(): string {
    return `sha256:${createHash("sha256").update(this.layer).digest("hex")}`;
  }

  async close(): Promise<void> {
    await this.registry.close();
    await this.storage.close();
  }

  #answer(request: ServiceRequest): ServiceAnswer {
    const { method, url, headers } = request;
    if (method !== "GET") return this.registry.violation(method);
    const [, os, arch, kind, reference] =
      /^\/v2\/azureconnectivity\/proxy\/(linux|darwin|windows)\/(amd64|arm64|386)\/arc-proxy\/(manifests|blobs)\/([^/]+)$/.exec(
        url.pathname,
      ) ?? [];
    if (url.pathname === "/token") return this.#token(request);
    if (os === undefined || url.search !== "") return this.registry.violation(`${url.pathname}${url.search}`);
    if (!this.#tokens.has(headers.authorization ?? "")) {
      const scope = `repository:azureconnectivity/proxy/${os}/${arch}/arc-proxy:pull`;
      return {
        status: 401,
        headers: { "WWW-Authenticate": `Bearer realm="${this.url}/token",service="test",scope="${scope}"` },
      };
    }
    if (kind === "blobs") return this.#redirect(reference ?? "");
    if (reference !== version) return { status: 404, body: { errors: [{ code: "MANIFEST_UNKNOWN" }] } };
    if (headers.accept?.includes(manifestType) !== true) return this.registry.violation("no Accept");
    this.pulled.push(`${os}/${String(arch)}`);
    return this.#manifest();
  }

  #token({ url, headers }: ServiceRequest): ServiceAnswer {
    const isRight =
      url.searchParams.get("service") === "test" &&
      /^repository:azureconnectivity\/proxy\/\w+\/\w+\/arc-proxy:pull$/.test(
        url.searchParams.get("scope") ?? "",
      );
    if (!isRight || headers.authorization !== undefined) return this.registry.violation(url.search);
    const token = randomUUID();
    this.#tokens.add(`Bearer ${token}`);
    return { status: 200, body: { access_token: token } };
  }

  #manifest(): ServiceAnswer {
    const layer = { mediaType: "application/octet-stream", digest: this.digest, size: this.layer.length };
    const body = {
      schemaVersion: 2,
      mediaType: manifestType,
      layers: this.faults.twoLayers === true ? [layer, layer] : [layer],
    };
    return { status: 200, headers: { "Content-Type": manifestType }, body: JSON.stringify(body) };
  }

  #redirect(reference: string): ServiceAnswer {
    if (reference !== this.digest) return { status: 404 };
    const signature = randomUUID();
    this.#signatures.add(signature);
    const { redirect } = this.faults;
    const elsewhere = { insecure: "http://storage.test", endless: `${this.url}/v2/loop` } as const;
    const location =
      redirect === "endless"
        ? `${this.url}/v2/azureconnectivity/proxy/linux/amd64/arc-proxy/blobs/${this.digest}`
        : redirect === undefined
          ? `${this.storage.url}/blob?signature=${signature}`
          : elsewhere[redirect];
    return { status: 307, headers: { Location: location } };
  }

  #blob({ url, headers }: ServiceRequest): ServiceAnswer {
    if (headers.authorization !== undefined) return this.storage.violation("the registry's token");
    if (!this.#signatures.delete(url.searchParams.get("signature") ?? "")) return { status: 403 };
    const body = Buffer.from(this.layer);
    if (this.faults.altered === true) body[body.length - 1]! ^= 1;
    if ((this.faults.truncations ?? 0) > 0) {
      this.faults.truncations! -= 1;
      return { status: 200, body, truncateAt: Math.floor(body.length / 2) };
    }
    return { status: 200, body };
  }
}
