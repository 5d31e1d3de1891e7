import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  credentialCommand,
  renderExecCredential,
  writeExecCredential,
} from "../../../src/client-proxy/credential-file";
import { replacePrivateFile } from "../../../src/client-proxy/private-file";

const token = { value: "t0ken", receivedAtMs: Date.UTC(2030, 0, 1), lifetimeMs: 300_000 };

describe("the credential's file", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "credential "));
    path = join(folder, "credential.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("holds the token, and tells clients to come back at three quarters of its life from its receipt", () => {
    expect(JSON.parse(renderExecCredential(token))).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "t0ken", expirationTimestamp: "2030-01-01T00:03:45.000Z" },
    });
  });

  it("names no end where the token does not tell its own", () => {
    const { status } = JSON.parse(renderExecCredential({ ...token, lifetimeMs: undefined })) as {
      status: object;
    };
    expect(status).toEqual({ token: "t0ken" });
  });

  it("is its user's alone, and replaced in one step", async () => {
    await writeExecCredential(path, token);
    await writeExecCredential(path, { ...token, value: "next" });
    expect(readFileSync(path, "utf8")).toContain("next");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["credential.json"]);
  });

  it("is never seen half written, however often it is replaced", async () => {
    const texts = ["a", "b"].map((letter) => letter.repeat(200_000));
    await replacePrivateFile(path, texts[0]!);
    let isOver = false;
    const writing = (async () => {
      for (let count = 0; count < 40; count += 1) await replacePrivateFile(path, texts[count % 2]!);
      isOver = true;
    })();
    let reads = 0;
    while (!isOver) {
      expect(texts).toContain(readFileSync(path, "utf8"));
      reads += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect(reads).toBeGreaterThan(5);
  });

  it("replaces a link that somebody has put there instead of writing through it", async () => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "mine");
    symlinkSync(victim, path);
    await replacePrivateFile(path, "secret");
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(readFileSync(path, "utf8")).toBe("secret");
  });

  it("leaves nothing behind when it cannot be written", async () => {
    await expect(replacePrivateFile(folder, "x")).rejects.toThrow();
    expect(
      readdirSync(join(folder, "..")).filter((name) => name.startsWith(`${folder.split("/").at(-1)!}.`)),
    ).toEqual([]);
  });

  it.each([
    ["cat, where there is one", () => credentialCommand(path, "linux", () => true), "/bin/cat"],
    ["Node, where there is none", () => credentialCommand(path, "linux", () => false), process.execPath],
  ])("is printed by %s", (_, command, program) => {
    writeFileSync(path, "line one\nline two");
    const [file = "", ...args] = command();
    expect(file).toBe(program);
    expect(execFileSync(file, args, { encoding: "utf8" })).toBe("line one\nline two");
  });

  it("is printed by cmd on Windows", () => {
    expect(credentialCommand("C:\\t\\c.json", "win32")).toEqual(["cmd", "/c", "type", "C:\\t\\c.json"]);
  });
});
