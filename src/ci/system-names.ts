/** What inputs and outputs are called on each CI system. */
import { inputsOf, outputs, type CiSystem } from "./inputs";

const camelCase = (name: string): string =>
  name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** An input's or output's name as a user of the CI system writes it. */
export const nameOn = (system: CiSystem, name: string): string =>
  system === "github" ? name : camelCase(name);

/** Words of ours that name inputs and outputs, in the CI system's spelling; what it has not stays as GitHub has it. */
export const textOn = (system: CiSystem, text: string): string =>
  text.replace(hyphenated, (name) => nameOn(system, name));

/** Names of one word are spelt alike everywhere, and may be words. */
const hyphenated = new RegExp(
  `(?<![\\w-])(?:${[...inputsOf("azure-pipelines").map(([name]) => name), ...Object.keys(outputs)]
    .filter((name) => name.includes("-"))
    .join("|")})(?![\\w-])`,
  "g",
);
