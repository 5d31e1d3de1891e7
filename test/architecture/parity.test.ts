import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { inputs, outputs, type InputDefinition } from "../../src/ci/inputs";

interface Manifest {
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string; post: string };
}

const root = join(__dirname, "../..");
const manifest = parse(readFileSync(join(root, "action.yml"), "utf8")) as Manifest;
const repair = "action.yml differs from src/ci/inputs.ts: mend one of the two, then run npm run docs";

describe("action.yml", () => {
  it("has the inputs of src/ci/inputs.ts, with their descriptions and defaults", () => {
    const expected = Object.entries(inputs as Record<string, InputDefinition>).map(([name, input]) => [
      name,
      {
        description: input.description,
        ...(input.required === true ? { required: true } : {}),
        ...(input.default === undefined ? {} : { default: input.default }),
      },
    ]);
    expect({ repair, inputs: manifest.inputs }).toEqual({ repair, inputs: Object.fromEntries(expected) });
  });

  it("has the outputs of src/ci/inputs.ts", () => {
    const expected = Object.entries(outputs).map(([name, description]) => [name, { description }]);
    expect({ repair, outputs: manifest.outputs }).toEqual({ repair, outputs: Object.fromEntries(expected) });
  });

  it("runs the bundles on the runtime that runners have", () => {
    expect(manifest.runs).toEqual({
      using: "node24",
      main: "dist/github-main/index.js",
      post: "dist/github-post/index.js",
    });
  });
});
