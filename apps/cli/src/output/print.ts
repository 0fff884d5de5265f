import { stringify } from 'yaml';
import type { CliIo } from '../cli-io.ts';
import { paintFor } from './style.ts';
import type { Paint } from './style.ts';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

export const paintOf = (io: CliIo): Paint => paintFor(io.isTerminal && (io.env['NO_COLOR'] ?? '') === '');

/** JSON and YAML carry the API's shapes; `asTable` is for people. */
export const print = (io: CliIo, format: Format, value: unknown, asTable: (paint: Paint) => string): void => {
  if (format === 'json') io.out(`${JSON.stringify(value, null, 2)}\n`);
  else if (format === 'yaml') io.out(stringify(value, { lineWidth: 0 }));
  else io.out(asTable(paintOf(io)));
};
