/**
 * As much of an OCI registry's client (OCI Distribution Specification 1.1) as pulling one layer needs: the manifest
 * by tag, the anonymous token if one is asked for, the blob by digest, over redirects.
 */
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../../runtime/errors";
import { openHttpStream, sendHttpRequest, type HttpStream } from "../../runtime/http-request";
import { digestPattern } from "./digest";

export interface Layer {
  readonly digest: string;
  readonly bytes: number;
}

const manifest = z.object({
  layers: z.tuple([z.object({ digest: z.string().regex(digestPattern), size: z.number().int().positive() })]),
});
const tokenAnswer = z.union([
  z.object({ token: z.string().min(1) }).transform(({ token }) => token),
  z.object({ access_token: z.string().min(1) }).transform(({ access_token }) => access_token),
]);

const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const maxManifestBytes = 1_048_576;
const maxRedirects = 5;

export class Registry {
  #authorization: string | undefined;

  constructor(
    private readonly origin: URL,
    private readonly repository: string,
    private readonly signal?: AbortSignal,
  ) {}

  /** The artifact's one layer. Throws ERR_ARC_REGISTRY_UNREACHABLE or ERR_ARC_PROXY_INVALID. */
  async layerOf(tag: string): Promise<Layer> {
    const stream = await this.#get(`manifests/${tag}`, { Accept: manifestTypes });
    const text = await this.#read(stream);
    const parsed = manifest.safeParse(parseJson(text));
    if (!parsed.success) {
      throw new ClusterConnectError("ERR_ARC_PROXY_INVALID", "the manifest does not name exactly one layer");
    }
    const [{ digest, size }] = parsed.data.layers;
    return { digest, bytes: size };
  }

  /** The layer's bytes, not verified yet. */
  openBlob = ({ digest }: Layer): Promise<HttpStream> => this.#get(`blobs/${digest}`, {});

  async #get(path: string, headers: Readonly<Record<string, string>>): Promise<HttpStream> {
    const url = new URL(`/v2/${this.repository}/${path}`, this.origin);
    let stream = await this.#follow(url, headers);
    if (stream.status === 401 && this.#authorization === undefined) {
      stream.body.destroy();
      this.#authorization = `Bearer ${await this.#fetchToken(stream.headers["www-authenticate"])}`;
      stream = await this.#follow(url, headers);
    }
    if (stream.status === 200) return stream;
    stream.body.destroy();
    throw unreachable(`status ${String(stream.status)} for ${url.href}`);
  }

  /** A blob mostly lies elsewhere, at a signed address: it is not shown the token of the registry. */
  async #follow(from: URL, headers: Readonly<Record<string, string>>): Promise<HttpStream> {
    let url = from;
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const isHome = url.origin === this.origin.origin;
      const authorization =
        isHome && this.#authorization !== undefined ? { Authorization: this.#authorization } : {};
      const stream = await this.#send(url, { ...headers, ...authorization });
      const { location } = stream.headers;
      if (stream.status < 300 || stream.status >= 400 || typeof location !== "string") return stream;
      stream.body.destroy();
      url = this.#secure(new URL(location, url));
    }
    throw unreachable(`more than ${String(maxRedirects)} redirects from ${from.href}`);
  }

  async #send(url: URL, headers: Readonly<Record<string, string>>): Promise<HttpStream> {
    try {
      return await openHttpStream({ url, headers, timeoutMs: 30_000, signal: this.signal });
    } catch (error) {
      throw asUnreachable(error);
    }
  }

  /** `Bearer realm="…",service="…",scope="…"`; anonymous, as everything here is. */
  async #fetchToken(challenge: string | string[] | undefined): Promise<string> {
    const text = typeof challenge === "string" ? challenge : "";
    const parameters = new Map(
      [...text.matchAll(/\b(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
    );
    const realm = parameters.get("realm") ?? "";
    if (!/^bearer\s/i.test(text) || !URL.canParse(realm)) throw unreachable("401 without a Bearer challenge");
    const url = this.#secure(new URL(realm));
    for (const name of ["service", "scope"]) {
      const value = parameters.get(name);
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const response = await sendHttpRequest({ url, signal: this.signal }).catch((error: unknown) => {
      throw asUnreachable(error);
    });
    const token = tokenAnswer.safeParse(parseJson(response.body));
    if (token.success) return token.data;
    throw unreachable(`status ${String(response.status)} of the registry's token service`);
  }

  #secure(url: URL): URL {
    if (url.protocol === "https:" || url.protocol === this.origin.protocol) return url;
    throw unreachable(`it leads to ${url.origin}, without TLS`);
  }

  async #read({ body }: HttpStream): Promise<string> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of body) {
        chunks.push(chunk as Buffer);
        length += (chunk as Buffer).length;
        if (length > maxManifestBytes) throw new Error("the manifest is too long");
      }
    } catch (error) {
      throw asUnreachable(error);
    }
    return Buffer.concat(chunks).toString("utf8");
  }
}

const unreachable = (detail: string): ClusterConnectError =>
  new ClusterConnectError("ERR_ARC_REGISTRY_UNREACHABLE", detail);

function asUnreachable(error: unknown): ClusterConnectError {
  if (error instanceof ClusterConnectError && error.code !== "ERR_HTTP_FAILED") return error;
  return new ClusterConnectError("ERR_ARC_REGISTRY_UNREACHABLE", messageOf(error), { cause: error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
