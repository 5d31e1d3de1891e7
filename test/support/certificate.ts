import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

export interface TestCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** What to trust to trust it. */
  readonly caPem: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const lifetime = () => ({
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 86_400_000),
});

/** A server certificate for loopback (and `names`), signed by a CA of its own that nobody else holds. */
export async function createTestCertificate(
  names: readonly string[] = [],
  loopback: readonly string[] = ["localhost", "127.0.0.1", "::1"],
): Promise<TestCertificate> {
  const crypto = webcrypto;
  x509.cryptoProvider.set(crypto);
  const generate = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const [caKeys, keys] = await Promise.all([generate(), generate()]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...lifetime(),
    serialNumber: "01",
    name: "CN=test CA",
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...lifetime(),
    serialNumber: "02",
    subject: "CN=test",
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        ...[...loopback, ...names].map((value) => ({
          type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const),
          value,
        })),
      ]),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    certPem: leaf.toString("pem"),
    keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
    caPem: ca.toString("pem"),
  };
}
