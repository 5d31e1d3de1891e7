import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "@actions/languageservice/validate";
import Ajv from "ajv-draft-04";
import { TextDocument } from "vscode-languageserver-textdocument";

const root = join(__dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Of azure-pipelines-task-lib, MIT licensed, whose npm package leaves it out. */
const taskSchema = JSON.parse(
  read("test/support/schemas/azure-pipelines-task-lib/tasks.schema.json"),
) as object;

describe("Azure Pipelines' schema of a task", () => {
  // Its patterns escape what Unicode's mode does not allow to be escaped.
  const accepts = new Ajv({ unicodeRegExp: false, strict: false }).compile(taskSchema);
  const task = JSON.parse(read("task.json")) as Record<string, unknown>;
  const problemsOf = (document: object) => {
    accepts(document);
    return (accepts.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };

  it("accepts task.json", () => {
    expect(problemsOf(task)).toEqual([]);
  });

  it.each([
    ["an unknown member", { postJobExecution: {} }],
    ["an unknown handler", { execution: { Node99: { target: "x" } } }],
    ["an input with a hyphen", { inputs: [{ name: "cluster-name", label: "x", type: "string" }] }],
    ["a version without a patch", { version: { Major: 1, Minor: 0 } }],
  ])("would refuse %s", (_, change) => {
    expect(problemsOf({ ...task, ...change })).not.toEqual([]);
  });

  it("says less than the marketplace, which wants a short name and one for each instance", () => {
    expect(String(task["friendlyName"]).length).toBeLessThanOrEqual(40);
    expect(task["instanceNameFormat"]).toMatch(/\$\(clusterName\)/);
  });
});

describe("GitHub's schema of an action", () => {
  let count = 0;
  const problemsOf = async (text: string) => {
    // What has once been parsed under an address is not parsed again.
    const address = `file:///${String((count += 1))}/action.yml`;
    const found = await validate(TextDocument.create(address, "yaml", 1, text));
    return found.map(({ message }) => message);
  };
  const action = read("action.yml");

  it("accepts action.yml", async () => {
    expect(await problemsOf(action)).toEqual([]);
  });

  it.each([
    ["an unknown runtime", /node24/, "node99"],
    ["an unknown member", /^runs:/m, "runz:"],
    ["an input that is required by a list", /required: true/, "required: [true]"],
  ])("would refuse %s", async (_, from, to) => {
    const changed = action.replace(from, to);
    expect(changed).not.toBe(action);
    expect(await problemsOf(changed)).not.toEqual([]);
  });
});
