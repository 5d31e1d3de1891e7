/** The responder's CA and certificate, made anew at each start; their keys never leave the process's memory. */
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

export interface ResponderCertificate {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const lifetimeMs = 30 * 86_400_000;
/** Clocks of containers and their hosts differ by a little. */
const backdatedMs = 3_600_000;

/** For loopback, and `serverName` if there is one. */
export async function createResponderCertificate(
  serverName: string | undefined,
): Promise<ResponderCertificate> {
  x509.cryptoProvider.set(webcrypto);
  const [caKeys, leafKeys] = await Promise.all([generateKeys(), generateKeys()]);
  const validity = {
    notBefore: new Date(Date.now() - backdatedMs),
    notAfter: new Date(Date.now() + lifetimeMs),
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: randomBytes(8).toString("hex"),
    // A name of its own each time: clients find an issuer by name, and the kubeconfig holds the cluster's beside it.
    name: `CN=Cluster Connect local responder ${randomBytes(4).toString("hex")}`,
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: randomBytes(8).toString("hex"),
    subject: "CN=Cluster Connect local responder",
    issuer: ca.subject,
    publicKey: leafKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...(serverName === undefined ? [] : [{ type: "dns" as const, value: serverName }]),
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", leafKeys.privateKey));
  return {
    caPem: `${ca.toString("pem")}\n`,
    certPem: leaf.toString("pem"),
    keyPem: x509.PemConverter.encode(key, "PRIVATE KEY"),
  };
}

const generateKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
