import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache";
import { mustRun } from "./command";
import { report } from "./report";

const requirements = join(__dirname, "../tools/python/requirements.txt");

/** The interpreter of a virtual environment with the official Python client, and with act and zizmor beside it. */
export async function providePython(): Promise<string> {
  const version = await mustRun("python3", ["--version"]);
  const folder = await cached({
    name: "python",
    sources: [requirements],
    recipe: { version },
    make: async (target) => {
      report("installing the Python client, act and zizmor");
      mkdirSync(target, { recursive: true });
      await mustRun("python3", ["-m", "venv", target]);
      await mustRun(join(target, "bin/python"), ["-m", "pip", "install", "-q", "-r", requirements]);
    },
  });
  return join(folder, "bin/python");
}
