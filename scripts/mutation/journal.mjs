/** What is known already, so that a run which was ended goes on where it was: one line a verdict. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const hashOf = (...files) => {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  return hash.digest("hex").slice(0, 12);
};

/** A verdict holds for these texts of mutated file and attack alone; after a change of the fixture, begin anew. */
export const keyOf = (mutant, attack) =>
  [mutant.id, hashOf(mutant.file), attack, hashOf(`test/attacks/${attack}.test.ts`)].join(" ");

const tools = ["operators.mjs", "mutants.mjs", "probe-runtime.cjs"].map((name) => `scripts/mutation/${name}`);

/** The same of a run of the probes, which reaches into every source. */
export const probeKeyOf = (attack, files) =>
  [attack, hashOf(`test/attacks/${attack}.test.ts`), hashOf(...tools, ...files)].join(" ");

export class Journal {
  #known = new Map();

  constructor(file) {
    this.file = file;
    mkdirSync(dirname(file), { recursive: true });
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    for (const line of lines.filter(Boolean)) {
      const { key, value } = JSON.parse(line);
      this.#known.set(key, value);
    }
  }

  has = (key) => this.#known.has(key);
  get = (key) => this.#known.get(key);

  put(key, value) {
    this.#known.set(key, value);
    appendFileSync(this.file, `${JSON.stringify({ key, value })}\n`);
  }
}
