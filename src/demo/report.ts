/** What has been seen to hold, and what has not. */
export class Report {
  readonly #failures: string[] = [];
  readonly #leftovers: string[] = [];
  readonly #ran: string[] = [];
  #seconds: number | undefined;
  #identity = "nobody";

  /** `hasJob`: false when somebody else runs the job, of which nothing can be said here. */
  constructor(private readonly hasJob = true) {}

  /** Main has come back: after how long, and who the cluster says we are. */
  ready(seconds: number, identity: string): void {
    this.#seconds = seconds;
    this.#identity = identity;
  }

  ran(title: string): void {
    this.#ran.push(title);
  }

  fail(why: string): void {
    this.#failures.push(why);
  }

  left(things: readonly string[]): void {
    this.#leftovers.push(...things);
  }

  get hasHeld(): boolean {
    return (
      this.#failures.length + this.#leftovers.length === 0 && (!this.hasJob || this.#seconds !== undefined)
    );
  }

  lines(): string[] {
    const ready = this.#seconds === undefined ? "never" : `${this.#seconds.toFixed(2)} s after main began`;
    const nothing = "nothing: no process, file, port or variable";
    const list = (name: string, entries: readonly string[], none: string) =>
      (entries.length === 0 ? [none] : entries).map(
        (entry, index) => `   ${(index === 0 ? name : "").padEnd(16)} ${entry}`,
      );
    return [
      "",
      "Report",
      ...(this.hasJob
        ? [
            ...list("ready", [ready], ""),
            ...list("the cluster saw", [this.#identity], ""),
            ...list("what was run", this.#ran, "nothing"),
          ]
        : []),
      ...list("left behind", this.#leftovers, nothing),
      ...list("result", [this.hasHeld ? "all of it held" : "NOT all of it held"], ""),
      ...this.#failures.flatMap((why) => `   ✗ ${why}`.split("\n")),
    ];
  }
}
