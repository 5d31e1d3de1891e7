/** The certificate that arcProxy serves on its loopback port. */
import type { DetailedPeerCertificate } from "node:tls";
import { connect } from "node:tls";
import { ClusterConnectError } from "../runtime/errors";

export interface ServedCertificate {
  /** PEM of every certificate that was shown. */
  readonly pem: string;
  /** What it has to be checked for when it is not made for 127.0.0.1. */
  readonly serverName: "localhost" | undefined;
}

const timeoutMs = 5_000;

/**
 * Whatever is shown by who listens there now. It is believed from then on, and nothing else is: only this machine's
 * own users can listen on its loopback, and the port was free a moment ago. Rejects with Node's error while nobody
 * listens; throws ERR_ARC_PROXY_ANSWER for a certificate that is for no name of loopback.
 */
export function readServedCertificate(port: number): Promise<ServedCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, timeout: timeoutMs });
    socket.once("error", reject);
    socket.once("timeout", () => socket.destroy(new Error("no TLS in time")));
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerCertificate(true);
      socket.destroy();
      try {
        resolve({ pem: chainOf(certificate), serverName: serverNameIn(certificate.subjectaltname) });
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

function chainOf(leaf: DetailedPeerCertificate): string {
  const pems = new Map<string, string>();
  let at: DetailedPeerCertificate | undefined = leaf;
  while (at !== undefined && at.raw !== undefined && !pems.has(at.fingerprint256)) {
    const body = at.raw.toString("base64").replace(/(.{64})(?=.)/g, "$1\n");
    pems.set(at.fingerprint256, `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`);
    at = at.issuerCertificate as DetailedPeerCertificate | undefined;
  }
  return [...pems.values()].join("");
}

/** Go's clients look at alternative names alone. */
function serverNameIn(alternativeNames: string | undefined): ServedCertificate["serverName"] {
  const names = (alternativeNames ?? "").split(", ");
  if (names.includes("IP Address:127.0.0.1")) return undefined;
  if (names.includes("DNS:localhost")) return "localhost";
  throw new ClusterConnectError(
    "ERR_ARC_PROXY_ANSWER",
    `its certificate is for ${alternativeNames ?? "no name"}, not for 127.0.0.1 or localhost`,
  );
}
