/** What a step prints, as the runner shows it: commands obeyed, masked values hidden. */
export class WorkflowOutput {
  readonly #masks = new Set<string>();
  #partial = "";

  constructor(private readonly print: (line: string) => void) {}

  take(chunk: Buffer): void {
    const lines = (this.#partial + chunk.toString("utf8")).split(/\r?\n/);
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  end(): void {
    if (this.#partial !== "") this.#line(this.#partial);
    this.#partial = "";
  }

  #line(line: string): void {
    const [, command, data = ""] = /^\s*::([a-z-]+)(?: [^:]*)?::(.*)$/.exec(line) ?? [];
    const text = data.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
    if (command === undefined) return this.#show(line);
    if (command === "add-mask") return this.#mask(text);
    if (command === "group") this.#show(`▸ ${text}`);
    else if (["notice", "warning", "error"].includes(command)) this.#show(`[${command}] ${text}`);
  }

  /** Of a value of several lines, each line is hidden. */
  #mask(value: string): void {
    for (const line of value.split(/\r?\n/)) if (line.trim() !== "") this.#masks.add(line);
  }

  #show(text: string): void {
    const shown = [...this.#masks].reduce((kept, mask) => kept.replaceAll(mask, "***"), text);
    for (const line of shown.split("\n")) this.print(line);
  }
}
