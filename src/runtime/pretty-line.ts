/** A JSON log line as a person reads it: time, level, event, then `name=value` pairs. */
export function prettyLine(json: string): string {
  const { time, level, event, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${pretty(value)}`);
  return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${[event, ...pairs].join(" ")}\n`;
}

function pretty(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /[\s"]/.test(text) && typeof value === "string" ? JSON.stringify(text) : text;
}
