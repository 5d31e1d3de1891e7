/** The inputs' texts, and everything that is wrong with them, told at once in the CI system's own spelling. */
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { inputsOf, type CiSystem, type InputName } from "./inputs";
import type { CiPlatform } from "./platform";
import { nameOn, textOn } from "./system-names";

export class InputReader {
  readonly #texts = new Map<InputName, string>();
  readonly #problems: string[] = [];
  readonly #system: CiSystem;

  /** Reads all of them; masks what is secret before anything else is done with it. */
  constructor(platform: CiPlatform) {
    this.#system = platform.job.system;
    for (const [name, { secret, required, default: fallback = "" }] of inputsOf(this.#system)) {
      const text = platform.readInput(name);
      if (secret === true && text !== "") platform.maskSecret(text);
      if (required === true && text === "") this.problem(`${name} is required`);
      this.#texts.set(name, text === "" ? fallback : text);
    }
  }

  /** Whether the CI system has this input. */
  has = (name: InputName): boolean => this.#texts.has(name);

  /** Empty when it was not given. */
  text = (name: InputName): string => this.#texts.get(name) ?? "";

  /** Undefined when it was not given, or when `parse` threw: what is wrong, as words that follow the name. */
  parse<Value>(name: InputName, parse: (text: string) => Value): Value | undefined {
    const text = this.text(name);
    try {
      return text === "" ? undefined : parse(text);
    } catch (error) {
      const problem = error instanceof ClusterConnectError ? error.detail : messageOf(error);
      this.#problems.push(`${nameOn(this.#system, name)} ${problem}`);
      return undefined;
    }
  }

  /** Notes each of these inputs that was given although it means nothing here. */
  refuse(names: readonly InputName[], why: string): void {
    for (const name of names) if (this.text(name) !== "") this.problem(`${name} has no sense ${why}`);
  }

  /** Notes a problem, in words of ours alone: names of inputs in it are spelt as the CI system spells them. */
  problem(text: string): void {
    this.#problems.push(textOn(this.#system, text));
  }

  /** Throws ERR_CI_INPUT if there was any problem. */
  check(): void {
    if (this.#problems.length > 0) throw new ClusterConnectError("ERR_CI_INPUT", this.#problems.join("; "));
  }
}
