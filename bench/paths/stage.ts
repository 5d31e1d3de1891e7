/** Everything that one scenario has started, taken away again in one place. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartedProcess } from "../measure/started-process";

export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), "bench-"));
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #removeFolder = () => rmSync(this.folder, { recursive: true, force: true });

  constructor() {
    process.once("exit", this.#removeFolder);
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Returns the file's path. */
  write(name: string, text: string): string {
    writeFileSync(this.file(name), text, { mode: 0o600 });
    return this.file(name);
  }

  async start(starting: Promise<StartedProcess>): Promise<StartedProcess> {
    const started = await starting;
    this.#closers.push(started.kill);
    return started;
  }

  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Another folder, which ends with this one. */
  inner(): Stage {
    const inner = new Stage();
    this.#closers.push(() => inner.close());
    return inner;
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
    this.#removeFolder();
    process.off("exit", this.#removeFolder);
  }
}

/** Runs `play` on a stage of its own that is empty again afterwards, whatever happened. */
export async function onStage<Result>(play: (stage: Stage) => Promise<Result>): Promise<Result> {
  const stage = new Stage();
  try {
    return await play(stage);
  } finally {
    await stage.close();
  }
}
