/** Which of the CA certificates that the agent named may be believed. */
import { X509Certificate } from "node:crypto";
import { ClusterConnectError } from "../runtime/errors";

export interface ClusterTrust {
  /** PEM of the certificates that reach the kubeconfig. */
  readonly caBundle: string;
  /** `sha256:…` over the DER of each of them. */
  readonly pins: readonly string[];
  /** Whether they were compared with anything. */
  readonly isPinned: boolean;
}

const pinPattern = /^sha256:[0-9a-f]{64}$/;

/** PEM blocks or `sha256:…` pins; anything else is refused, since a mistyped pin must not mean "no pin". */
export function parseClusterCa(values: readonly string[]): { pems: string[]; pins: string[] } {
  const pems: string[] = [];
  const pins: string[] = [];
  for (const value of values) {
    const certificates = splitPem(value);
    pems.push(...certificates);
    const rest = value
      .replace(pemBlock, " ")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
    for (const word of rest) {
      const [algorithm = "", ...digest] = word.toLowerCase().split(":");
      const pin = `${algorithm}:${digest.join("")}`;
      if (!pinPattern.test(pin)) {
        throw new ClusterConnectError(
          "ERR_SETTINGS_INVALID",
          `cluster-ca: "${word}" is neither PEM nor sha256:…`,
        );
      }
      pins.push(pin);
    }
  }
  for (const pem of pems) pins.push(pinOf(readCertificate(pem)));
  return { pems, pins };
}

/** Throws ERR_CLUSTER_CA_MISMATCH when nothing in the bundle is pinned, or it holds no certificate at all. */
export function decideTrust(agentBundle: string, clusterCa: readonly string[]): ClusterTrust {
  const configured = parseClusterCa(clusterCa);
  const isPinned = configured.pins.length > 0;
  const named = splitPem(agentBundle).map((pem) => ({ pem, pin: pinOf(readCertificate(pem)) }));
  const believed = isPinned ? named.filter(({ pin }) => configured.pins.includes(pin)) : named;
  // Certificates given in full are trusted as they are: during a rotation the agent may name just one of them.
  const certificates = new Map(believed.map(({ pem, pin }) => [pin, pem]));
  for (const pem of configured.pems) certificates.set(pinOf(readCertificate(pem)), pem);
  if (believed.length === 0) {
    const seen = named.map(({ pin }) => pin).join(", ");
    throw new ClusterConnectError(
      "ERR_CLUSTER_CA_MISMATCH",
      `the agent names ${seen === "" ? "none" : seen}`,
    );
  }
  return { caBundle: [...certificates.values()].join(""), pins: [...certificates.keys()], isPinned };
}

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const splitPem = (text: string): string[] => (text.match(pemBlock) ?? []).map((block) => `${block}\n`);

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new ClusterConnectError("ERR_CLUSTER_CA_MISMATCH", "a certificate cannot be read", {
      cause: error,
    });
  }
}

const pinOf = (certificate: X509Certificate): string =>
  `sha256:${certificate.fingerprint256.replaceAll(":", "").toLowerCase()}`;
