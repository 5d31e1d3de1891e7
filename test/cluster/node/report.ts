const started = Date.now();

/** One line of progress on stderr, where jest's own report goes too: stdout stays free for its JSON. */
export function report(message: string): void {
  process.stderr.write(`[${((Date.now() - started) / 1_000).toFixed(1).padStart(6)} s] ${message}\n`);
}
