import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLogTails, showLogTails } from "../../../src/ci/process-log";
import { arcProxyLogFile, logFile } from "../../../src/client-proxy/control";
import { FakePlatform } from "../../support/fake-platform";

describe("the client proxy's log", () => {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = async (text: string) => {
    writeFileSync(join(folder, logFile), text);
    return (await readLogTails(folder))[0]!.lines;
  };
  const line = (fields: object) =>
    `${JSON.stringify({ level: "info", time: "2026-01-01T12:00:00.000Z", ...fields })}\n`;

  it("is shown in a group, readable, with whatever else the process printed", async () => {
    const tail = await written(`${line({ event: "relay.redial", retryInMs: 50 })}node: out of memory\n`);
    const { log, lines } = new FakePlatform();
    showLogTails(log, [{ title: "The log", lines: tail }]);
    expect(lines.map(({ kind, text }) => `${kind} ${text}`.trimEnd())).toEqual([
      "group The log",
      "info | 12:00:00.000 info  relay.redial retryInMs=50",
      "info | node: out of memory",
      "end",
    ]);
  });

  it("is read from its end, whole lines of it, however long it is", async () => {
    const tail = await written(
      line({ event: "x", text: "a".repeat(1_000) }).repeat(1_000) + line({ event: "last" }),
    );
    expect(tail).toHaveLength(40);
    expect(tail.at(-1)).toContain("last");
    expect(tail.every((text) => text.startsWith("12:00:00"))).toBe(true);
  });

  it("shows no token that somebody else's message quotes", async () => {
    const tail = await written(
      "refused: Bearer abcdefghijklmnop and eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln\n",
    );
    expect(tail[0]).not.toMatch(/abcdefgh|eyJ/);
  });

  it("is followed by arcProxy's, where there is one", async () => {
    writeFileSync(join(folder, arcProxyLogFile), "panic: eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln\n");
    const tails = await readLogTails(folder);
    rmSync(join(folder, arcProxyLogFile));
    expect(tails.map(({ title }) => title)).toEqual([
      "The client proxy's log, its last lines",
      "arcProxy's log, its last lines",
    ]);
    expect(tails[1]!.lines).toEqual(["panic: [redacted]"]);
  });

  it("is empty, and shown as nothing, when there is none", async () => {
    const { log, lines } = new FakePlatform();
    showLogTails(log, await readLogTails(join(folder, "absent")));
    expect(lines).toEqual([]);
  });
});
