import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { agentSettings } from "../../src/agent/settings";
import { authProxySettings } from "../../src/auth-proxy/settings";
import { relaySettings } from "../../src/relay/settings";

const root = join(__dirname, "../..");
const read = (...name: string[]) => readFileSync(join(root, ...name), "utf8");

/** All tests but those whose subject is how settings are read. */
const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(ts|json|ya?ml|mjs)$/.test(name) && !/settings[a-z-]*\.test\.ts$/.test(name))
  .map((name) => read("test", name))
  .join("\n");

/** As much of a schema of zod's as is needed to walk it. */
interface Schema {
  readonly def: {
    readonly innerType?: Schema;
    readonly in?: Schema;
    readonly options?: readonly Schema[];
    readonly shape?: Readonly<Record<string, Schema>>;
    readonly defaultValue?: unknown;
  };
}

interface Setting {
  readonly name: string;
  readonly byDefault: unknown;
}

/** All settings of a schema; of a list or a union, those of its members. */
function settingsOf({ def }: Schema): Setting[] {
  const { innerType, in: input, options = [], shape = {} } = def;
  const own = Object.entries(shape).flatMap(([name, schema]) => [
    { name, byDefault: schema.def.defaultValue },
    ...settingsOf(schema),
  ]);
  const inner = [innerType, input, ...options].flatMap((schema) =>
    schema === undefined ? [] : settingsOf(schema),
  );
  return [...own, ...inner];
}

describe.each<[string, z.ZodType]>([
  ["relay", relaySettings],
  ["agent", agentSettings],
  ["auth-proxy", authProxySettings],
])("each setting of the %s", (process, schema) => {
  const settings = settingsOf(schema as unknown as Schema);
  const names = [...new Set(settings.map(({ name }) => name))];
  const page = read("docs", `${process}.md`);
  const issuers = read("docs/authentication.md") + read("docs/auth-proxy.md");

  it("is given a value by a test that is about more than reading it", () => {
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !new RegExp(`\\b${name}"?(:|,| \\}| =)`).test(tests))).toEqual([]);
  });

  it("is documented", () => {
    expect(names.filter((name) => !page.includes(name) && !issuers.includes(name))).toEqual([]);
  });

  it("has the default that its page says, where that is a number with a line of its own", () => {
    const wrong = settings.flatMap(({ name, byDefault }) => {
      if (typeof byDefault !== "number") return [];
      const line = new RegExp(`^\\| \`(limits|timers|tokenLimits)\\.${name}\` +\\| (\\S+)`, "m").exec(page);
      const isAsSaid = line === null || line[2] === byDefault.toLocaleString("en-US");
      return isAsSaid ? [] : [`${name}: ${line[2]}, but ${byDefault}`];
    });
    expect(wrong).toEqual([]);
  });
});
