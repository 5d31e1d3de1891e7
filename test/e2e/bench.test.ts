import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../bench/report/row";
import { root } from "../support/bundle-process";
import { eventually } from "../support/eventually";

/** Command lines, of all processes, that name `folder`: every process of the product does, by its configuration. */
const commandLinesWith = (folder: string) =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(folder));

/** The folders that scenarios keep their files in. */
const stages = (folder: string) => readdirSync(folder).filter((name) => name.startsWith("bench-"));

describe("the bench", () => {
  jest.setTimeout(60_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bench-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const start = (...args: string[]) =>
    spawn(process.execPath, [join(root, "bench/run.mjs"), ...args], {
      stdio: "ignore",
      env: { PATH: process.env["PATH"], TMPDIR: folder },
    });

  it("measures a scenario, writes its rows as JSON, and leaves neither process nor file", async () => {
    const json = join(folder, "out.json");
    const [code] = await once(start("agents", "--runs", "1", "--scale", "0.01", "--json", json), "exit");
    expect(code).toBe(0);
    const { rows } = JSON.parse(readFileSync(json, "utf8")) as { rows: Row[] };
    expect(rows.length).toBeGreaterThan(0);
    for (const { scenario, measured } of rows) {
      expect(scenario).toBe("agents");
      expect(measured).toBeGreaterThan(0);
    }
    expect(stages(folder)).toEqual([]);
    expect(commandLinesWith(folder)).toEqual([]);
  });

  it("leaves nothing either when it is ended half-way", async () => {
    const bench = start("agents", "--runs", "99");
    const exited = once(bench, "exit");
    await eventually(() => commandLinesWith(folder).some((line) => line.includes("relay.yaml")), 15_000);
    bench.kill("SIGTERM");
    await exited;
    expect(stages(folder)).toEqual([]);
    await eventually(() => commandLinesWith(folder).length === 0);
  });
});
