/** What one evaluation may cost: a step each for nodes and elements, a tenth for characters looked at or made. */
export class Budget {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  /** Throws BudgetExceeded; to be called before the work is done. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new BudgetExceeded();
  }

  /** The cost of looking at texts of this many characters, or of making one. */
  spendText(characters: number): void {
    this.spend(1 + characters / charactersAStep);
  }
}

const charactersAStep = 10;

/** Not an EvaluationError: `true || f(x)` forgives those, and must not forgive this. */
export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded";

  constructor() {
    super("the expression costs too much to evaluate");
  }
}
