import { X509Certificate } from "node:crypto";
import { decideTrust, parseClusterCa } from "../../../src/client-proxy/cluster-trust";
import { createTestCertificate } from "../../support/certificate";

const pinOf = (pem: string) =>
  `sha256:${new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase()}`;

describe("the cluster's CA", () => {
  let one: string;
  let two: string;
  let evil: string;
  beforeAll(async () => {
    const made = await Promise.all([1, 2, 3].map(() => createTestCertificate()));
    [one = "", two = "", evil = ""] = made.map(({ caPem }) => `${caPem}\n`);
  });

  it("is what the agent names when nothing is pinned, and that is known to be so", () => {
    expect(decideTrust(one + two, [])).toEqual({
      caBundle: one + two,
      pins: [pinOf(one), pinOf(two)],
      isPinned: false,
    });
  });

  it("is of what the agent names only what is pinned", () => {
    expect(decideTrust(one + evil, [pinOf(one)])).toEqual({
      caBundle: one,
      pins: [pinOf(one)],
      isPinned: true,
    });
    expect(decideTrust(two, [`${pinOf(one)}, ${pinOf(two)}`]).caBundle).toBe(two);
  });

  it("may be given in full: then all of that is trusted, if the agent names any of it", () => {
    expect(decideTrust(one + evil, [one + two])).toMatchObject({ caBundle: one + two, isPinned: true });
    expect(() => decideTrust(evil, [one + two])).toThrow(
      expect.objectContaining({ code: "ERR_CLUSTER_CA_MISMATCH", detail: `the agent names ${pinOf(evil)}` }),
    );
  });

  it.each(["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])(
    "is never %p",
    (bundle) => {
      for (const pins of [[], [pinOf(one)]]) {
        expect(() => decideTrust(bundle, pins)).toThrow(
          expect.objectContaining({ code: "ERR_CLUSTER_CA_MISMATCH" }),
        );
      }
    },
  );

  it("may be pinned in any case, with colons, and several at once", () => {
    const pin = pinOf(one);
    const colons = `SHA256:${new X509Certificate(one).fingerprint256}`;
    expect(parseClusterCa([pin.toUpperCase(), `${colons}\n\t${pin},`]).pins).toEqual([pin, pin, pin]);
    expect(parseClusterCa([`${one}${pinOf(two)}`]).pins).toEqual([pinOf(two), pin]);
    expect(parseClusterCa([]).pins).toEqual([]);
  });

  it.each([
    "sha256:abc",
    "sha1:0000",
    "0".repeat(64),
    `sha256:${"g".repeat(64)}`,
    "-----BEGIN CERTIFICATE-----",
  ])("mistyped as %p is an error, not no pin", (text) => {
    expect(() => parseClusterCa([text])).toThrow(expect.objectContaining({ code: "ERR_SETTINGS_INVALID" }));
  });
});
