/**
 * Takes the defences of src/auth-proxy away, one at a time, and runs the attacks: each must be noticed by one.
 * `npm run mutate -- [--files PATTERN] [--sample N] [--seed S] [--minutes M] [--workers N] [--attacks PATTERN] [--depth N] [--report FILE]`.
 * `--attacks` narrows what is tried anew; `--depth` bounds the attacks that are tried on one mutant, beside those that have noticed another one of its file.
 * Survivors are printed, with the score. A run that was ended goes on where it was (.build/mutation).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Journal, keyOf, probeKeyOf } from "./mutation/journal.mjs";
import { judge } from "./mutation/judge.mjs";
import { applyMutant, mutantsOf } from "./mutation/mutants.mjs";
import { Plan } from "./mutation/plan.mjs";
import { withProbes } from "./mutation/probes.mjs";
import { Programs } from "./mutation/programs.mjs";
import { deciding, equivalent, irrelevantAttacks } from "./mutation/scope.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
const { values } = parseArgs({
  options: {
    files: { type: "string", default: "" },
    sample: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "1000" },
    workers: { type: "string", default: "2" },
    attacks: { type: "string", default: "" },
    depth: { type: "string", default: "1000" },
    batch: { type: "string", default: "16" },
    report: { type: "string", default: ".build/mutation/report.json" },
  },
});
const folder = join(root, ".build/mutation");
const startedAt = Date.now();
const isTimeOver = () => Date.now() - startedAt > Number(values.minutes) * 60_000;

const sources = deciding(readdirSync("src/auth-proxy")).map((name) => `src/auth-proxy/${name}`);
const attacks = readdirSync("test/attacks")
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => name.replace(".test.ts", ""))
  .filter((name) => !irrelevantAttacks.test(name));
const mutants = sources.flatMap((file) => mutantsOf(file));
const numbers = new Map(mutants.map((mutant, index) => [mutant, index + 1]));
/** The unchanged program, in every run: where it is noticed, that run has shown nothing. */
const unchanged = "m0";

/** A part of them, the same for the same seed. */
function choose(all) {
  let state = Number(values.seed);
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31);
  return all
    .map((mutant) => ({ mutant, rank: next() }))
    .sort((one, other) => one.rank - other.rank)
    .slice(0, Number(values.sample))
    .map(({ mutant }) => mutant);
}

const chosen = choose(
  mutants.filter((mutant) => new RegExp(values.files).test(mutant.file) && equivalent(mutant) === undefined),
);
console.log(`${chosen.length} of ${mutants.length} mutants, ${attacks.length} attack files`);

const journal = new Journal(join(folder, "journal.jsonl"));
const programs = new Programs(folder);

/** What each attack would make a difference to, and how long it takes; an attack that fails by itself is an error. */
async function probe(attack, worker) {
  const key = probeKeyOf(attack, sources);
  if (journal.has(key)) return { attack, ...journal.get(key) };
  const seen = join(folder, `probes-${worker}.txt`);
  rmSync(seen, { force: true });
  const texts = sources.map((file) => {
    const own = mutants.filter((mutant) => mutant.file === file);
    return [file, withProbes(file, own, (mutant) => numbers.get(mutant))];
  });
  const path = programs.create(`probes-${worker}`, Object.fromEntries(texts), {
    preload: join(root, "scripts/mutation/probe-runtime.cjs"),
    env: { PROBES: seen },
  });
  let before;
  let by = "";
  // On a machine that is busy with something else a time may be over.
  for (let attempt = 0; by !== undefined && attempt < 3; attempt += 1) {
    before = Date.now();
    by = (await judge(attack, [[unchanged, path]], options(worker, 1))).get(unchanged);
  }
  if (by !== undefined) throw new Error(`${attack} fails without any mutation: ${by}`);
  const reached = existsSync(seen) ? readFileSync(seen, "utf8").split("\n").filter(Boolean) : [];
  const found = {
    seconds: (Date.now() - before) / 1_000,
    reached: reached.map((number) => mutants[number - 1].id),
  };
  journal.put(key, found);
  console.log(`probed ${attack}: ${reached.length} in ${found.seconds.toFixed(1)} s`);
  return { attack, ...found };
}

const options = (worker, count) => ({
  verdicts: join(folder, `verdicts-${worker}.jsonl`),
  timeoutMs: 90_000 + count * 45_000,
});

async function inParallel(work) {
  await Promise.all(Array.from({ length: Number(values.workers) }, (_, worker) => work(worker)));
}

const probed = [];
const toProbe = [...attacks];
await inParallel(async (worker) => {
  for (let attack = toProbe.shift(); attack !== undefined; attack = toProbe.shift())
    probed.push(await probe(attack, worker));
});

const results = [];
const plan = new Plan(new Map(probed.map(({ attack, seconds }) => [attack, seconds])));
function conclude(mutant, by) {
  results.push({ ...mutant, by });
  const { file, line, kind, before } = mutant;
  console.log(`${results.length}/${chosen.length} ${by ?? "SURVIVED"} ${file}:${line} ${kind}: ${before}`);
}
const depth = Number(values.depth);
const isWanted = (attack) => new RegExp(values.attacks).test(attack);
const tellingOf = (mutant) =>
  probed.filter(({ reached }) => reached.includes(mutant.id)).map(({ attack }) => attack);
for (const mutant of chosen) {
  for (const attack of tellingOf(mutant)) {
    const known = journal.get(keyOf(mutant, attack));
    if (known !== undefined) plan.learn(mutant, attack, known.noticedBy !== undefined);
  }
}
for (const mutant of chosen) {
  const telling = tellingOf(mutant);
  mutant.telling = telling.length;
  const by = telling.find((attack) => journal.get(keyOf(mutant, attack))?.noticedBy !== undefined);
  const missing = telling.filter((attack) => !journal.has(keyOf(mutant, attack)));
  const untried = missing.filter(isWanted);
  mutant.tried = telling.length - missing.length;
  const open = mutant.tried < depth ? untried : untried.filter((attack) => plan.hasNoticed(mutant, attack));
  if (by !== undefined || open.length === 0) conclude(mutant, by);
  else plan.add(mutant, open);
}

let spoiled = 0;
const control = programs.create(unchanged, {});
await inParallel(async (worker) => {
  for (;;) {
    if (isTimeOver() || plan.size === 0 || spoiled > 10) return;
    const step = plan.next(Number(values.batch));
    if (step === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      continue;
    }
    const named = step.mutants.map((mutant) => {
      const name = `m${numbers.get(mutant)}`;
      return [name, programs.create(name, { [mutant.file]: applyMutant(mutant) })];
    });
    // Of the texts as they are now: they may be changed meanwhile.
    const keys = new Map(step.mutants.map((mutant) => [mutant, keyOf(mutant, step.attack)]));
    const verdicts = await judge(
      step.attack,
      [...named, [unchanged, control]],
      options(worker, named.length + 1),
    );
    plan.release(step.mutants);
    if (verdicts.get(unchanged) !== undefined) {
      spoiled += 1;
      console.log(`spoiled: ${step.attack}: ${verdicts.get(unchanged)}`);
      continue;
    }
    for (const mutant of step.mutants) {
      const name = `m${numbers.get(mutant)}`;
      if (!verdicts.has(name)) continue;
      const noticedBy = verdicts.get(name);
      journal.put(keys.get(mutant), { noticedBy });
      const state = plan.settle(mutant, step.attack, noticedBy !== undefined, depth);
      if (state !== "open") conclude(mutant, noticedBy === undefined ? undefined : step.attack);
    }
  }
});

const killed = results.filter(({ by }) => by !== undefined).length;
const survivors = results.filter(({ by }) => by === undefined);
mkdirSync(dirname(values.report), { recursive: true });
writeFileSync(values.report, JSON.stringify({ killed, total: results.length, results }, null, 2));
for (const { file, line, kind, before, telling, tried } of survivors)
  console.log(`SURVIVED ${file}:${line} ${kind} (${tried} of ${telling} attacks that get there): ${before}`);
if (plan.size > 0) console.log(`${plan.size} not judged`);
console.log(`${killed} of ${results.length} noticed, ${((100 * killed) / results.length).toFixed(1)} %`);
