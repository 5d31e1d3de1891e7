/** The certificate and key on disk, taken up again when they change. */
import { readFileSync } from "node:fs";
import type { Server as HttpsServer } from "node:https";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Throws ERR_SETTINGS_UNREADABLE. */
export function readTlsFiles(files: TlsFiles): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
}

/**
 * Compares contents, not times: a renewal may swap symbolic links. A pair that does not fit together, as in the
 * middle of a renewal, leaves the old one in use. Returns how to stop.
 */
export function watchTlsFiles(
  server: HttpsServer,
  files: TlsFiles,
  everyMs: number,
  logger: Logger,
): () => void {
  let current = readTlsFiles(files);
  const timer = setInterval(() => {
    try {
      const next = readTlsFiles(files);
      if (next.cert.equals(current.cert) && next.key.equals(current.key)) return;
      server.setSecureContext(next);
      current = next;
      logger.info("tls.reloaded");
    } catch (error) {
      logger.error("tls.reload_failed", { reason: messageOf(error) });
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
