/** The project's own workflows: linted, audited, and the job that uses the packed action run, by act on this machine. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../support/bundle-process";
import { attachNode, run } from "./node";

const { programs, state } = attachNode();
const beside = (name: string) => join(dirname(programs.python), name);

describe("the workflows", () => {
  it("satisfy actionlint", async () => {
    const { code, stdout, stderr } = await run(state.binaries.actionlint, ["-no-color"], { cwd: root });
    expect([code, stdout + stderr]).toEqual([0, ""]);
  });

  it("satisfy zizmor at its strictest", async () => {
    const flags = ["--offline", "--persona=pedantic", "--no-progress", "--config", ".github/zizmor.yml"];
    const { code, stdout } = await run(beside("zizmor"), [...flags, ".github", "action.yml"], { cwd: root });
    expect([code, stdout]).toEqual([0, expect.stringContaining("No findings to report")]);
  });

  describe("run", () => {
    const folder = mkdtempSync(join(tmpdir(), "workflow-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    it("uses the packed action against the demo's relay, post included, and all of it ends", async () => {
      const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root })
        .toString()
        .split("\0")
        .filter((name) => /^(\.github\/|dist\/|action\.yml$)/.test(name));
      const copy = join(folder, "repository");
      for (const name of files) {
        mkdirSync(dirname(join(copy, name)), { recursive: true });
        cpSync(join(root, name), join(copy, name));
      }
      execFileSync("git", ["init", "--quiet", "."], { cwd: copy });
      const { code, stdout, stderr } = await run(
        beside("act"),
        ["push", "--job", "action", "--platform", "ubuntu-latest=-self-hosted", "--pull=false"],
        {
          cwd: copy,
          timeoutMs: 120_000,
          env: {
            HOME: folder,
            XDG_CACHE_HOME: join(folder, "cache"),
            // act runs the action by the `node` that it finds there.
            PATH: [dirname(process.execPath), dirname(programs.kubectl), process.env["PATH"] ?? ""].join(":"),
          },
        },
      );
      expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("Job succeeded")]);
      expect(stdout).toMatch(/Connected to plant-7 .* as github:repo:octo\/app:environment:production/);
      expect(stdout).toContain("Disconnected: process, files and variables are gone.");
      expect(stdout).toContain("left behind      nothing");
    }, 150_000);
  });
});
