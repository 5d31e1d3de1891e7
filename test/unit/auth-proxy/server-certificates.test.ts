import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuthority } from "../../../src/auth-proxy/certificate-maker";
import { createDirectoryStore } from "../../../src/auth-proxy/directory-store";
import { createSecretStore } from "../../../src/auth-proxy/secret-store";
import { ServerCertificates } from "../../../src/auth-proxy/server-certificates";
import { serverNameOf } from "../../../src/auth-proxy/server-name";
import { silentLogger } from "../../../src/runtime/logger";

const dayMs = 86_400_000;
const failure = (code: string) => expect.objectContaining({ code });

describe("server certificates", () => {
  let directory: string;
  let clock: number;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "certificates-"));
    clock = Date.now();
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const open = (place = directory, cluster = "plant-7") =>
    ServerCertificates.open({
      cluster,
      store: createDirectoryStore(place),
      logger: silentLogger,
      now: () => clock,
    });
  const leafIn = () =>
    new X509Certificate(readFileSync(join(directory, "leaf.pem"), "utf8").split("KEY-----\n").at(-1)!);

  it("have a leaf that its CA has signed, for the cluster's name and for loopback", async () => {
    const certificates = await open();
    const ca = new X509Certificate(certificates.caBundle);
    const leaf = leafIn();
    expect(ca.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    for (const name of [serverNameOf("plant-7"), "localhost"]) expect(leaf.checkHost(name)).toBe(name);
    for (const address of ["127.0.0.1", "::1"]) expect(leaf.checkIP(address)).toBe(address);
    expect(ca.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(certificates.caPins).toEqual([`sha256:${ca.fingerprint256.replaceAll(":", "").toLowerCase()}`]);
  });

  it("get a new leaf in time, and never a new CA", async () => {
    const certificates = await open();
    const [pin] = certificates.caPins;
    const serial = leafIn().serialNumber;
    const context = certificates.secureContext;
    clock += 59 * dayMs;
    await certificates.refresh();
    expect(leafIn().serialNumber).toBe(serial);
    clock += 2 * dayMs;
    await certificates.refresh();
    expect(leafIn().serialNumber).not.toBe(serial);
    expect(certificates.secureContext).not.toBe(context);
    expect(certificates.caPins).toEqual([pin]);
    clock += 200 * dayMs;
    expect((await open()).caPins).toEqual([pin]);
    expect(Date.parse(leafIn().validTo)).toBeGreaterThan(clock);
  });

  it("take the leaf that another replica has made", async () => {
    const one = await open();
    const two = await open();
    clock += 61 * dayMs;
    await one.refresh();
    const serial = leafIn().serialNumber;
    await two.refresh();
    expect(leafIn().serialNumber).toBe(serial);
    expect(two.leafExpiresAtMs).toBe(one.leafExpiresAtMs);
  });

  it("replace a leaf that is damaged, gone, or for another cluster", async () => {
    const [pin] = (await open()).caPins;
    for (const spoil of [
      () => writeFileSync(join(directory, "leaf.pem"), "garbage"),
      () => rmSync(join(directory, "leaf.pem")),
    ]) {
      spoil();
      expect((await open()).caPins).toEqual([pin]);
      expect(leafIn().checkHost("localhost")).toBe("localhost");
    }
    await open(directory, "plant-8");
    expect(leafIn().checkHost(serverNameOf("plant-8"))).toBeDefined();
  });

  it("are refused, not made anew, when the CA is damaged, expired or without its key", async () => {
    await open();
    const path = join(directory, "ca.pem");
    const good = readFileSync(path, "utf8");
    const other = await makeAuthority("plant-7");
    const certificate = good.slice(good.indexOf("-----BEGIN CERTIFICATE"));
    for (const bad of ["", "garbage", certificate, other.keyPem + "\n" + certificate]) {
      writeFileSync(path, bad);
      await expect(open()).rejects.toThrow(failure("ERR_AUTH_PROXY_CERTIFICATES"));
      expect(readFileSync(path, "utf8")).toBe(bad);
    }
    writeFileSync(path, good);
    clock += 3_651 * dayMs;
    await expect(open()).rejects.toThrow("expired");
  });

  it("hand out every CA in the bundle, for a rotation that callers have been told of", async () => {
    await open();
    const coming = await makeAuthority("plant-7");
    const path = join(directory, "ca.pem");
    writeFileSync(path, `${readFileSync(path, "utf8")}${coming.certPem}\n`);
    const certificates = await open();
    expect(certificates.caPins).toHaveLength(2);
    expect(certificates.caBundle).toContain(coming.certPem);
  });

  it("are made once when two processes start at the same time", async () => {
    const [one, two] = await Promise.all([open(), open()]);
    expect(one.caPins).toEqual(two.caPins);
  });

  it("say so when their place cannot be written", async () => {
    writeFileSync(join(directory, "file"), "");
    await expect(open(join(directory, "file", "sub"))).rejects.toThrow(
      failure("ERR_AUTH_PROXY_CERTIFICATES"),
    );
  });
});

describe("certificates in a Secret", () => {
  /** A Secret behind the one method that the store uses. */
  const fakeApiserver = (secret?: { metadata: object; data?: Record<string, string>; type?: string }) => {
    const state = { secret, answer: undefined as number | undefined, writes: [] as string[] };
    return {
      state,
      requestAsSelf: async (method: string, path: string, body?: object) => {
        const answer = (status: number, value: unknown = {}) => ({ status, body: JSON.stringify(value) });
        if (state.answer !== undefined) return answer(state.answer);
        if (method === "GET") return state.secret ? answer(200, state.secret) : answer(404);
        state.writes.push(`${method} ${path}`);
        if (method === "POST" && state.secret) return answer(409);
        state.secret = { ...(body as object), metadata: { resourceVersion: "2" } };
        return answer(200, state.secret);
      },
    };
  };
  const open = (apiserver: ReturnType<typeof fakeApiserver>) =>
    ServerCertificates.open({
      cluster: "plant-7",
      store: createSecretStore(apiserver, "ns", "tls"),
      logger: silentLogger,
    });

  it("fill a Secret that was made empty beforehand, and keep what else is in it", async () => {
    const apiserver = fakeApiserver({
      metadata: { resourceVersion: "1" },
      data: { other: "eA==" },
      type: "Opaque",
    });
    const { caPins } = await open(apiserver);
    expect(apiserver.state.writes).toEqual(["PUT /api/v1/namespaces/ns/secrets/tls"]);
    expect(Object.keys(apiserver.state.secret!.data!).sort()).toEqual([
      "ca.crt",
      "ca.key",
      "other",
      "tls.crt",
      "tls.key",
    ]);
    expect((await open(apiserver)).caPins).toEqual(caPins);
    expect(apiserver.state.writes).toHaveLength(1);
  });

  it("are an error when they may not be read, or were damaged", async () => {
    const apiserver = fakeApiserver();
    apiserver.state.answer = 403;
    await expect(open(apiserver)).rejects.toThrow("GET was answered 403");
    const damaged = fakeApiserver({ metadata: { resourceVersion: "1" }, data: { "ca.crt": "eA==" } });
    await expect(open(damaged)).rejects.toThrow(failure("ERR_AUTH_PROXY_CERTIFICATES"));
    expect(damaged.state.writes).toEqual([]);
  });
});
