/** Rows as a Markdown table, which reads well in a terminal too. */
import type { Row, Target } from "./row";

const headings = ["scenario", "what", "measured", "reference", "ratio", "target", ""];

export function renderTable(rows: readonly Row[]): string {
  const cells = [headings, ...rows.map(cellsOf)];
  const widths = headings.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  const [first = [], ...rest] = cells;
  return [line(first), rule, ...rest.map(line)].join("\n");
}

function cellsOf(row: Row): string[] {
  const amount = (value: number | undefined) =>
    value === undefined ? "" : `${digits(value)} ${row.unit}`.trimEnd();
  return [
    row.scenario,
    row.what,
    amount(row.measured),
    row.reference === undefined ? "" : `${amount(row.reference)} (${row.against ?? ""})`,
    row.ratio === undefined ? "" : digits(row.ratio),
    row.target === undefined ? "" : targetText(row.target, row.unit),
    row.note === undefined ? row.verdict : `${row.verdict}: ${row.note}`,
  ];
}

function targetText({ of, atMost, atLeast }: Target, unit: string): string {
  const bound = atMost === undefined ? `≥ ${String(atLeast)}` : `≤ ${String(atMost)}`;
  return of === "ratio" ? `${bound} ×` : `${bound} ${unit}`;
}

/** Three significant ones. */
const digits = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
