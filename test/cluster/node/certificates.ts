/** The cluster's authority, and the certificates by which its parts know one another. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly caFile: string;
  readonly caPem: string;
  /** Writes `<name>.crt` and `<name>.key`; usable as a client and, for `addresses`, as a server. */
  issue(name: string, subject: string, addresses?: readonly string[]): Promise<CertificateFiles>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
// A suite runs for minutes; certificates that end soon cannot be mistaken for something worth keeping.
const lifetime = () => ({
  notBefore: new Date(Date.now() - 300_000),
  notAfter: new Date(Date.now() + 86_400_000),
});

export async function createAuthority(folder: string): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...lifetime(),
    serialNumber: "01",
    name: "CN=test cluster",
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  const caFile = join(folder, "ca.crt");
  const caPem = `${ca.toString("pem")}\n`;
  writeFileSync(caFile, caPem);

  return {
    caFile,
    caPem,
    async issue(name, subject, addresses = []) {
      const leafKeys = await generateKeys();
      const leaf = await x509.X509CertificateGenerator.create({
        ...lifetime(),
        subject,
        issuer: ca.subject,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.clientAuth,
            x509.ExtendedKeyUsage.serverAuth,
          ]),
          new x509.SubjectAlternativeNameExtension([...addresses, name].map(alternativeName)),
        ],
      });
      const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
      writeFileSync(files.cert, `${leaf.toString("pem")}\n`);
      writeFileSync(files.key, await privatePem(leafKeys.privateKey), { mode: 0o600 });
      return files;
    },
  };
}

/** The key pair with which the cluster signs service-account tokens. */
export async function createSigningKey(folder: string): Promise<CertificateFiles> {
  const { publicKey, privateKey } = await generateKeys();
  const files = { cert: join(folder, "service-accounts.pub"), key: join(folder, "service-accounts.key") };
  const spki = Buffer.from(await webcrypto.subtle.exportKey("spki", publicKey));
  writeFileSync(files.cert, `${x509.PemConverter.encode(spki, "PUBLIC KEY")}\n`);
  writeFileSync(files.key, await privatePem(privateKey), { mode: 0o600 });
  return files;
}

const generateKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

const alternativeName = (value: string) => ({
  type: /^[\d.]+$/.test(value) ? ("ip" as const) : ("dns" as const),
  value,
});

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
}
