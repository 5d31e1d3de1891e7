import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPrivateFile, replacePrivateFile } from "../../../src/client-proxy/private-file";

describe("a private file", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "private-"));
    path = join(folder, "file");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ["made", createPrivateFile],
    ["replaced", replacePrivateFile],
  ])("is its user's alone, and never seen half written, when it is %s", async (_, write) => {
    const text = "x".repeat(4_000_000);
    const seen = new Set<number>();
    let isWritten = false;
    const writing = write(path, text).then(() => (isWritten = true));
    while (!isWritten) {
      if (readdirSync(folder).includes("file")) seen.add(statSync(path).size);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect([...seen].filter((size) => size !== text.length)).toEqual([]);
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("is not made where something lies already", async () => {
    writeFileSync(path, "somebody else's");
    await expect(createPrivateFile(path, "mine")).rejects.toThrow("EEXIST");
    expect(readFileSync(path, "utf8")).toBe("somebody else's");
    expect(readdirSync(folder)).toEqual(["file"]);
  });
});
