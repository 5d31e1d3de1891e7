/** Downloads the artifact's layer into a file, and believes nothing that has another digest. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBackoff } from "../../runtime/backoff";
import { delay } from "../../runtime/delay";
import { ClusterConnectError, messageOf } from "../../runtime/errors";
import type { Layer, Registry } from "./registry";

export interface DownloadProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions {
  readonly registry: Registry;
  readonly tag: string;
  /** A file that does not exist yet. */
  readonly target: string;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly maxBytes?: number;
  readonly attempts?: number;
  readonly signal?: AbortSignal | undefined;
}

const defaultMaxBytes = 314_572_800;
const defaultAttempts = 4;

/**
 * Resolves with the layer's digest once every byte is there. Connections that break are tried again; throws
 * ERR_ARC_REGISTRY_UNREACHABLE at last, at once ERR_ARC_PROXY_DIGEST and ERR_ARC_PROXY_INVALID.
 */
export async function downloadLayer(options: DownloadOptions): Promise<string> {
  const { attempts = defaultAttempts, signal } = options;
  const backoff = createBackoff({ firstMs: [200, 400] });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await downloadOnce(options);
    } catch (error) {
      const isWorthAnother =
        error instanceof ClusterConnectError && error.code === "ERR_ARC_REGISTRY_UNREACHABLE";
      if (!isWorthAnother || attempt >= attempts) throw error;
      await delay(backoff.nextMs(), signal);
    }
  }
}

async function downloadOnce(options: DownloadOptions): Promise<string> {
  const { registry, tag, target, maxBytes = defaultMaxBytes } = options;
  const layer = await registry.layerOf(tag);
  if (layer.bytes > maxBytes) {
    throw new ClusterConnectError("ERR_ARC_PROXY_INVALID", `${String(layer.bytes)} bytes are too many`);
  }
  const { body } = await registry.openBlob(layer);
  const meter = new Meter(layer, options.onProgress);
  try {
    await pipeline(body, meter, createWriteStream(target, { mode: 0o600 }));
  } catch (error) {
    if (error instanceof ClusterConnectError) throw error;
    throw new ClusterConnectError("ERR_ARC_REGISTRY_UNREACHABLE", messageOf(error), { cause: error });
  }
  return layer.digest;
}

/** Counts and hashes what passes, and fails before its end if that is not what was announced. */
class Meter extends Transform {
  readonly #hash = createHash("sha256");
  #received = 0;

  constructor(
    private readonly layer: Layer,
    private readonly onProgress: DownloadOptions["onProgress"],
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, data?: Buffer) => void) {
    this.#received += chunk.length;
    this.#hash.update(chunk);
    const { bytes } = this.layer;
    if (this.#received > bytes) return done(mismatch(`longer than the ${String(bytes)} bytes announced`));
    this.onProgress?.({ receivedBytes: this.#received, totalBytes: bytes });
    done(null, chunk);
  }

  override _flush(done: (error?: Error) => void): void {
    const { digest, bytes } = this.layer;
    if (this.#received < bytes)
      return done(new Error(`${String(this.#received)} of ${String(bytes)} bytes came`));
    const found = `sha256:${this.#hash.digest("hex")}`;
    done(found === digest ? undefined : mismatch(`${found} came, ${digest} was announced`));
  }
}

const mismatch = (detail: string) => new ClusterConnectError("ERR_ARC_PROXY_DIGEST", detail);
