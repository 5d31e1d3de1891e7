/** Which attack to try next on which mutants: the one that will notice most of them for its time. */

export class Plan {
  #pending = new Map();
  /** Of each source file and attack: how often it noticed a mutant, and how often it was tried. */
  #record = new Map();
  #busy = new Set();

  /** `seconds` are how long each attack takes. */
  constructor(seconds) {
    this.seconds = seconds;
  }

  /** A mutant, with the attacks to which it makes a difference. */
  add(mutant, attacks) {
    this.#pending.set(mutant, new Set(attacks));
  }

  get size() {
    return this.#pending.size;
  }

  /** What is known of an attack on a source file. */
  learn(mutant, attack, wasNoticed) {
    const key = `${mutant.file} ${attack}`;
    const { noticed = 0, tried = 0 } = this.#record.get(key) ?? {};
    this.#record.set(key, { noticed: noticed + (wasNoticed ? 1 : 0), tried: tried + 1 });
  }

  /** Whether an attack has noticed anything in the mutant's source file yet. */
  hasNoticed(mutant, attack) {
    return (this.#record.get(`${mutant.file} ${attack}`)?.noticed ?? 0) > 0;
  }

  /** What came out. Returns "noticed", "survived", or "open" when there are attacks left to try. */
  settle(mutant, attack, wasNoticed, depth) {
    this.learn(mutant, attack, wasNoticed);
    const left = this.#pending.get(mutant);
    left?.delete(attack);
    mutant.tried += 1;
    if (mutant.tried >= depth)
      for (const one of [...left]) if (!this.hasNoticed(mutant, one)) left.delete(one);
    if (!wasNoticed && left !== undefined && left.size > 0) return "open";
    this.#pending.delete(mutant);
    return wasNoticed ? "noticed" : "survived";
  }

  /** `{ attack, mutants }`, or undefined when there is nothing to do that is not under way. */
  next(most) {
    const wishes = new Map();
    for (const [mutant, attacks] of this.#pending) {
      if (this.#busy.has(mutant)) continue;
      const best = [...attacks].reduce((one, other) =>
        this.#worth(mutant, other) > this.#worth(mutant, one) ? other : one,
      );
      wishes.set(best, [...(wishes.get(best) ?? []), mutant]);
    }
    const [attack, mutants = []] =
      [...wishes].sort(([, one], [, other]) => other.length - one.length)[0] ?? [];
    if (attack === undefined) return undefined;
    const chosen = mutants.slice(0, most);
    for (const mutant of chosen) this.#busy.add(mutant);
    return { attack, mutants: chosen };
  }

  /** They may be chosen again. */
  release(mutants) {
    for (const mutant of mutants) this.#busy.delete(mutant);
  }

  #worth(mutant, attack) {
    const { noticed = 0, tried = 0 } = this.#record.get(`${mutant.file} ${attack}`) ?? {};
    return (noticed + 0.5) / (tried + 1.5) / this.seconds.get(attack);
  }
}
