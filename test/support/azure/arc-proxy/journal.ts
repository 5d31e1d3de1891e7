import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StandInEvent, StandInFaults, StandInSettings } from "./settings";

/** The stand-in's side of its folder: what the test wants of it, and what it has to tell. */
export class Journal {
  constructor(readonly settings: StandInSettings) {}

  get faults(): StandInFaults {
    try {
      return JSON.parse(readFileSync(this.#file("faults.json"), "utf8")) as StandInFaults;
    } catch {
      return {};
    }
  }

  /** Whether a fault that is counted is to happen once more. */
  take(name: "rotateKeys" | "refuseRegisters"): boolean {
    const faults = this.faults;
    const left = faults[name] ?? 0;
    if (left > 0) writeFileSync(this.#file("faults.json"), JSON.stringify({ ...faults, [name]: left - 1 }));
    return left > 0;
  }

  note(event: StandInEvent): void {
    appendFileSync(this.#file("events.jsonl"), `${JSON.stringify(event)}\n`);
  }

  violation(what: string): void {
    this.note({ event: "violation", what });
  }

  #file = (name: string): string => join(this.settings.folder, name);
}
