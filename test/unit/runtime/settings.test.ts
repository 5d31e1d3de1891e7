import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { loadSettings, validateSettings } from "../../../src/runtime/settings";

const schema = z.strictObject({
  publicUrl: z.string(),
  listen: z
    .strictObject({ host: z.string(), port: z.number().int() })
    .prefault({ host: "127.0.0.1", port: 0 }),
  clusters: z.array(z.strictObject({ name: z.string() })).default([]),
});

const refusal = (document: unknown) => {
  try {
    validateSettings(document, schema, "relay.yaml");
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("accepted");
};

describe("settings", () => {
  const folder = mkdtempSync(join(tmpdir(), "settings-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are read from YAML, with defaults, and frozen", () => {
    const path = join(folder, "good.yaml");
    writeFileSync(path, "publicUrl: https://relay.example.com\n");
    const settings = loadSettings(path, schema);
    expect(settings).toEqual({
      publicUrl: "https://relay.example.com",
      listen: { host: "127.0.0.1", port: 0 },
      clusters: [],
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it("refuse an unknown key and name the nearest known one", () => {
    expect(refusal({ publicURL: "x" }).message).toContain(
      'unknown key "publicURL", did you mean "publicUrl"?',
    );
  });

  it("name the place of an unknown key inside lists and defaults", () => {
    const { message } = refusal({ publicUrl: "x", listen: { hots: "a" }, clusters: [{ nmae: "b" }] });
    expect(message).toContain('unknown key "listen.hots", did you mean "host"?');
    expect(message).toContain('unknown key "clusters.0.nmae", did you mean "name"?');
  });

  it("suggest nothing when nothing is near", () => {
    expect(refusal({ publicUrl: "x", zebra: 1 }).message).not.toContain("did you mean");
  });

  it.each([
    ["a missing file", undefined, "ERR_SETTINGS_UNREADABLE"],
    ["a file that is not YAML", "a: [", "ERR_SETTINGS_UNREADABLE"],
    ["a key given twice", "publicUrl: a\npublicUrl: b", "ERR_SETTINGS_UNREADABLE"],
    ["a value of the wrong kind", "publicUrl: 1", "ERR_SETTINGS_INVALID"],
  ])("refuse %s", (_, text, code) => {
    const path = join(folder, "bad.yaml");
    rmSync(path, { force: true });
    if (text !== undefined) writeFileSync(path, text);
    expect(() => loadSettings(path, schema)).toThrow(expect.objectContaining({ code }));
  });
});
