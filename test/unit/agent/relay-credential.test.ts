import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRelayCredential } from "../../../src/agent/relay-credential";
import { agentSettings } from "../../../src/agent/settings";
import { isSignedBy, parseSasToken } from "../../../src/hybrid-connections/sas-token";

const jwt = (claims: object) =>
  ["eyJhbGciOiJub25lIn0", Buffer.from(JSON.stringify(claims)).toString("base64url"), "c2ln"].join(".");

describe("the agent's credential for the relay", () => {
  const folder = mkdtempSync(join(tmpdir(), "agent-credential-"));
  const file = join(folder, "secret");
  afterAll(() => rmSync(folder, { recursive: true }));

  const create = (credential: object, limits: object = {}) =>
    createRelayCredential(
      agentSettings.parse({
        relay: { url: "https://relay.example.com", cluster: "plant-7", credential },
        target: { socket: "/run/api.sock" },
        limits,
      }),
    );

  it("is the token file as it stands, so that a rotated token is picked up", async () => {
    const credential = create({ tokenFile: file });
    writeFileSync(file, jwt({ iat: 0, exp: 600, jti: "one" }));
    expect(await credential.authorization()).toBe(jwt({ iat: 0, exp: 600, jti: "one" }));
    writeFileSync(file, jwt({ iat: 0, exp: 600, jti: "two" }));
    expect(await credential.authorization()).toBe(jwt({ iat: 0, exp: 600, jti: "two" }));
  });

  it("is shown anew well ahead of its expiry, however short it lives and however old the file is", async () => {
    const credential = create({ tokenFile: file });
    writeFileSync(file, jwt({ iat: 0, exp: 600 }));
    utimesSync(file, new Date(), new Date(Date.now() - 400_000));
    await credential.authorization();
    expect(credential.renewEveryMs()).toBeGreaterThan(90_000);
    expect(credential.renewEveryMs()).toBeLessThanOrEqual(100_000);
    utimesSync(file, new Date(), new Date(Date.now() - 4_000_000));
    await credential.authorization();
    expect(credential.renewEveryMs()).toBe(1_000);
  });

  it("is shown anew after renewMs if it lives long, or does not say how long", async () => {
    const credential = create({ tokenFile: file });
    for (const token of [jwt({ iat: 0, exp: 86_400 }), jwt({ jti: "no expiry" })]) {
      writeFileSync(file, token);
      await credential.authorization();
      expect(credential.renewEveryMs()).toBe(1_200_000);
    }
  });

  it("is signed with the key as the file holds it now, and renewed at half its life", async () => {
    const credential = create({ keyName: "agent", keyFile: file }, { tokenLifetimeMs: 60_000 });
    for (const key of ["k".repeat(44), "l".repeat(44)]) {
      writeFileSync(file, `${key}\n`);
      const token = parseSasToken(await credential.authorization())!;
      expect(isSignedBy(token, key)).toBe(true);
      expect(decodeURIComponent(token.rawResource)).toBe("http://relay.example.com/plant-7");
      expect(credential.renewEveryMs()).toBeLessThanOrEqual(30_000);
      expect(credential.renewEveryMs()).toBeGreaterThan(29_000);
    }
  });

  it("rejects while the file cannot be read", async () => {
    await expect(create({ tokenFile: join(folder, "absent") }).authorization()).rejects.toMatchObject({
      code: "ERR_TOKEN_FILE_UNREADABLE",
    });
  });
});
