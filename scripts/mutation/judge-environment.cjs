/**
 * Runs an attack against many programs at once, each in `describe` blocks of its own whose names end with `on m<number>`.
 * The first test that fails is enough: what is left of that program's is skipped. Each outcome goes into VERDICTS as
 * soon as it is known, so that a run which has to be killed has said what it knew.
 */
const { appendFileSync } = require("node:fs");
const { TestEnvironment } = require("jest-environment-node");

module.exports = class JudgeEnvironment extends TestEnvironment {
  #noticed = new Set();
  #open = new Map();

  async handleTestEvent(event, state) {
    const { name } = event;
    if (name === "run_start") this.#count(state.rootDescribeBlock);
    const program = programOf(event.test?.parent ?? event.describeBlock ?? event.hook?.parent);
    if (program === undefined) return;
    if (name === "test_start" && this.#noticed.has(program)) event.test.mode = "skip";
    const isFailure = name === "hook_failure" || (name === "test_done" && event.test.errors.length > 0);
    if (isFailure && !this.#noticed.has(program)) {
      this.#noticed.add(program);
      const test = event.test?.name ?? "before or after the tests";
      say({ program, noticedBy: test });
    }
    if (name === "run_describe_finish" && isProgramsOwn(event.describeBlock)) this.#finish(program);
  }

  /** How many blocks each program has in this file. */
  #count(block) {
    if (isProgramsOwn(block)) {
      const program = programOf(block);
      this.#open.set(program, (this.#open.get(program) ?? 0) + 1);
      return;
    }
    for (const child of block.children) if (child.type === "describeBlock") this.#count(child);
  }

  #finish(program) {
    const left = this.#open.get(program) - 1;
    this.#open.set(program, left);
    if (left === 0 && !this.#noticed.has(program)) say({ program });
  }
};

const say = (verdict) => appendFileSync(process.env.VERDICTS, `${JSON.stringify(verdict)}\n`);
const named = / on (m\d+)$/;
const isProgramsOwn = (block) => named.test(block.name);

function programOf(block) {
  for (let at = block; at !== undefined; at = at.parent) {
    const [, program] = named.exec(at.name) ?? [];
    if (program !== undefined) return program;
  }
  return undefined;
}
