import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePrivateDirectory } from "../../../src/ci/private-directory";
import { ScriptedProcesses } from "../../support/scripted-processes";

describe("a private folder", () => {
  let parent: string;
  let path: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "private-"));
    path = join(parent, "folder");
  });
  afterEach(() => rmSync(parent, { recursive: true }));
  const whoami = '"runner\\\\agent","S-1-5-21-1-2-3-1001"\r\n';

  it("is of mode 0700, and nothing is run for it", async () => {
    const linux = new ScriptedProcesses("linux", {});
    await makePrivateDirectory(path, linux);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(linux.ran).toEqual([]);
  });

  it("is granted on Windows to its own account alone, by SID, inherited by what is put into it", async () => {
    const windows = new ScriptedProcesses("win32", { "whoami.exe": whoami, "icacls.exe": "" });
    await makePrivateDirectory(path, windows);
    expect(windows.ran.at(-1)).toEqual([
      "icacls.exe",
      path,
      "/inheritance:r",
      "/grant:r",
      "*S-1-5-21-1-2-3-1001:(OI)(CI)F",
    ]);
  });

  it.each([
    ["nobody says who this is", { "whoami.exe": "?", "icacls.exe": "" }],
    ["the grants cannot be set", { "whoami.exe": whoami, "icacls.exe": new Error("refused") }],
  ])("is no folder at all on Windows when %s", async (_, output) => {
    await expect(makePrivateDirectory(path, new ScriptedProcesses("win32", output))).rejects.toMatchObject({
      code: "ERR_CI_START_FAILED",
    });
    expect(existsSync(path)).toBe(false);
  });

  it("is not one that somebody else has made before", async () => {
    mkdirSync(path);
    await expect(makePrivateDirectory(path)).rejects.toThrow(/EEXIST/);
  });
});
