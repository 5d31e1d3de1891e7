import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { connect as connectTls, createServer as createTlsServer, type SecureVersion } from "node:tls";
import { TlsEnd } from "../../../src/client-proxy/tls-end";
import { createTestCertificate } from "../../support/certificate";

/** What a TLS server has sent on the wire until `stop` was done with its socket. */
async function wireBytes(version: SecureVersion, stop: "end" | "destroy"): Promise<Buffer> {
  const certificate = await createTestCertificate();
  const options = { minVersion: version, maxVersion: version };
  const server = createTlsServer({ cert: certificate.certPem, key: certificate.keyPem, ...options });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => undefined);
    socket.write("x".repeat(50_000), () => socket[stop]());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const chunks: Buffer[] = [];
  const between = createServer((near) => {
    const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
    near.on("error", () => undefined).pipe(far);
    far.on("error", () => undefined).on("data", (chunk: Buffer) => chunks.push(chunk));
    far.pipe(near);
  });
  await once(between.listen(0, "127.0.0.1"), "listening");
  const client = connectTls({
    port: (between.address() as AddressInfo).port,
    host: "127.0.0.1",
    ca: certificate.caPem,
  });
  client.on("error", () => undefined).resume();
  await once(client, "close");
  server.close();
  between.close();
  return Buffer.concat(chunks);
}

const isInOrder = (bytes: Buffer, piece: number): boolean => {
  const end = new TlsEnd();
  for (let at = 0; at < bytes.length; at += piece) end.take(bytes.subarray(at, at + piece));
  return end.isInOrder;
};

describe.each<SecureVersion>(["TLSv1.2", "TLSv1.3"])("the end of a connection by %s", (version) => {
  it("is in order when the server has said so, however its bytes come", async () => {
    const bytes = await wireBytes(version, "end");
    for (const piece of [1, 7, 1_000, bytes.length]) expect(isInOrder(bytes, piece)).toBe(true);
    for (const missing of [1, 10, 30, 1_000]) {
      expect(isInOrder(bytes.subarray(0, bytes.length - missing), 500)).toBe(false);
    }
  });

  it("is not when it has just gone", async () => {
    expect(isInOrder(await wireBytes(version, "destroy"), 500)).toBe(false);
  });
});

it("nothing at all is not the end of a TLS connection", () => expect(new TlsEnd().isInOrder).toBe(false));
