/**
 * The sources with a probe around everything that could be mutated. A test can only notice a mutant where the mutated
 * code comes to another result than the original; the probes note for which mutants that happens. What a test does not
 * even get to need not be run against it.
 */
import { readFileSync } from "node:fs";

/** The text of a file with the probes of its mutants. `number` gives each mutant its number. */
export function withProbes(file, mutants, number) {
  const text = readFileSync(file, "utf8");
  const edits = mutants.flatMap((mutant, order) => {
    const { start, end, probe } = mutant;
    const [before, after] = around(probe, number(mutant), text.slice(start, end));
    const size = end - start;
    return [
      // Of edits at one place, the outer one opens first and closes last.
      { at: start, text: before, opens: true, size, order },
      { at: end, text: after, opens: false, size, order },
    ];
  });
  edits.sort(
    (one, other) =>
      one.at - other.at ||
      Number(one.opens) - Number(other.opens) ||
      (one.opens ? other.size - one.size || one.order - other.order : one.size - other.size) ||
      other.order - one.order,
  );
  let result = "";
  let done = 0;
  for (const { at, text: piece } of edits) {
    result += text.slice(done, at) + piece;
    done = at;
  }
  return result + text.slice(done);
}

function around([name, argument], id, original) {
  if (name === "reached") return [`(__probe.reached(${id}), `, ")"];
  if (name === "thrown") return [`{ __probe.reached(${id}); `, " }"];
  if (name === "differs" && /\b(await|yield)\b/.test(original)) return [`(__probe.reached(${id}), `, ")"];
  return [`__probe.${name}(${id}, `, argument === undefined ? ")" : `, ${argument})`];
}
