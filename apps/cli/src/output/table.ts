import { colourOf, printable } from './style.ts';
import type { Paint } from './style.ts';

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  /** May be cut when the line is too long; ids and states never are. */
  readonly flexible?: boolean;
  readonly align?: 'right';
  /** Of the last column: what is too long goes on below instead of being cut. */
  readonly wrap?: boolean;
  /** Its values are states, shown in their colours. */
  readonly state?: boolean;
}

const GAP = 2;
export const TABLE_WIDTH = 100;
const LEAST = 8;

export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/** Breaks at spaces; a word that is longer than the column is broken where it must be. */
const wrapCell = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = line === '' ? word : `${line} ${word}`;
    if (rest.length > width && line !== '') {
      lines.push(line);
      rest = word;
    }
    for (; rest.length > width; rest = rest.slice(width)) lines.push(rest.slice(0, width));
    line = rest;
  }
  return [...lines, line];
};

/** Takes what is too much from the widest flexible columns. */
const fit = (widths: number[], flexible: readonly boolean[], most: number): number[] => {
  const fitted = [...widths];
  const total = () => fitted.reduce((sum, width) => sum + width, 0) + GAP * (fitted.length - 1);
  while (total() > most) {
    let widest = -1;
    fitted.forEach((width, index) => {
      if (flexible[index] === true && width > LEAST && width > (fitted[widest] ?? 0)) widest = index;
    });
    if (widest < 0) break;
    fitted[widest] = (fitted[widest] ?? 0) - 1;
  }
  return fitted;
};

/** Lines of at most `width` columns, without trailing spaces. */
export const table = <T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  paint: Paint,
  width = TABLE_WIDTH,
): string => {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const wanted = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const widths = fit(
    wanted,
    columns.map(({ flexible }) => flexible === true),
    width,
  );
  const render = (line: readonly string[], head: boolean): string =>
    line
      .map((cell, index) => {
        const column = columns[index];
        const shown = cut(cell, widths[index] ?? 0);
        const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - shown.length));
        const colour = !head && column?.state === true ? colourOf(cell) : null;
        const painted = colour === null ? shown : paint(colour, shown);
        const last = index === columns.length - 1 && column?.align !== 'right';
        if (last) return painted;
        return column?.align === 'right' ? `${space}${painted}` : `${painted}${space}`;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const header = paint(
    'bold',
    render(
      columns.map(({ title }) => title),
      true,
    ),
  );
  const lastWidth = widths.at(-1) ?? 0;
  const wraps = columns.at(-1)?.wrap === true;
  const rendered = cells.flatMap((line) => {
    const last = line.at(-1) ?? '';
    const [first = '', ...rest] = wraps ? wrapCell(last, lastWidth) : [last];
    const empty = columns.slice(1).map(() => '');
    return [[...line.slice(0, -1), first], ...rest.map((part) => [...empty, part])].map((cell) => render(cell, false));
  });
  return `${[header, ...rendered].join('\n')}\n`;
};
