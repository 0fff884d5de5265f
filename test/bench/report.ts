import Table from 'cli-table3';
import { cpus, loadavg, totalmem } from 'node:os';

export type Cell = string | number;

/** What one benchmark found: a table for people, the same figures by name for scripts. */
export interface Finding {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly notes: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** Processes that wanted to run in the minute before; more than the cores: the times are noise. */
  readonly load: number;
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
});

/** Three significant digits are more than these measurements give. */
export const digits = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
};

export const seconds = (ms: number): string => `${digits(ms / 1000)} s`;

const text = (cell: Cell): string => (typeof cell === 'number' ? digits(cell) : cell);

export const tableOf = (finding: Finding): string => {
  const table = new Table({
    head: [...finding.columns],
    colAligns: finding.columns.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of finding.rows) table.push(row.map(text));
  return [finding.title, table.toString(), ...finding.notes.map((note) => `  ${note}`), ''].join('\n');
};
