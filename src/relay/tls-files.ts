/** The certificate and key on disk, taken up again when they change. */
import { readFileSync } from "node:fs";
import type { Server as HttpsServer } from "node:https";
import { createSecureContext, DEFAULT_CIPHERS, type SecureContextOptions } from "node:tls";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** How long a client may come back with a ticket instead of a full handshake, which costs several times the CPU. */
const sessionSeconds = 7_200;

/**
 * What the relay's TLS is made of. AES-128 goes first: as strong as anybody needs, and every byte passes twice.
 * Throws ERR_SETTINGS_UNREADABLE or ERR_RELAY_CERTIFICATE_INVALID.
 */
export function readTlsOptions(files: TlsFiles): SecureContextOptions {
  return toOptions(readPair(files));
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
  let current = readPair(files);
  let reported = "";
  const timer = setInterval(() => {
    try {
      const next = readPair(files);
      if (next.cert.equals(current.cert) && next.key.equals(current.key)) return;
      server.setSecureContext(toOptions(next));
      current = next;
      reported = "";
      logger.info("tls.reloaded", { certFile: files.certFile });
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== reported) logger.error("tls.reload_failed", { reason });
      reported = reason;
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function readPair(files: TlsFiles): Pair {
  try {
    return { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
}

function toOptions(pair: Pair): SecureContextOptions {
  const options: SecureContextOptions = {
    ...pair,
    minVersion: "TLSv1.2",
    ciphers: `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS}`,
    honorCipherOrder: true,
    sessionTimeout: sessionSeconds,
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw new ClusterConnectError("ERR_RELAY_CERTIFICATE_INVALID", messageOf(error), { cause: error });
  }
  return options;
}
