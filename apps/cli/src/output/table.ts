import { colourOf, printable } from './style.ts';
import type { Paint } from './style.ts';
import { TABLE_WIDTH } from './table-width.ts';
import { breakLines } from './wrap.ts';

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  /** May be cut when the line is too long. States never are; names and ids go on below, when nothing else makes room. */
  readonly flexible?: boolean;
  readonly align?: 'right';
  /** Of the last column: what is too long goes on below instead of being cut. */
  readonly wrap?: boolean;
  /** Its values are states, shown in their colours. */
  readonly state?: boolean;
}

const GAP = 2;
const LEAST = 8;

export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/** Takes what is too much from the widest flexible columns, then from those that are wrapped rather than cut: names and ids. */
const fit = <T>(widths: readonly number[], columns: readonly Column<T>[], most: number): number[] => {
  const fitted = [...widths];
  const total = () => fitted.reduce((sum, width) => sum + width, 0) + GAP * (fitted.length - 1);
  const shrink = (may: (column: Column<T>) => boolean): void => {
    while (total() > most) {
      let widest = -1;
      columns.forEach((column, index) => {
        const width = fitted[index] ?? 0;
        if (may(column) && width > LEAST && width > (fitted[widest] ?? 0)) widest = index;
      });
      if (widest < 0) return;
      fitted[widest] = (fitted[widest] ?? 0) - 1;
    }
  };
  shrink(({ flexible }) => flexible === true);
  shrink(({ state, align }) => state !== true && align === undefined);
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
  const widths = fit(wanted, columns, width);
  const render = (line: readonly string[], whole: readonly string[] | null): string =>
    line
      .map((cell, index) => {
        const column = columns[index];
        const shown = cut(cell, widths[index] ?? 0);
        const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - shown.length));
        const colour = whole !== null && column?.state === true ? colourOf(whole[index] ?? '') : null;
        const painted = colour === null || shown === '' ? shown : paint(colour, shown);
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
      null,
    ),
  );
  const goesOn = ({ flexible, wrap }: Column<T>, index: number): boolean =>
    flexible !== true || (wrap === true && index === columns.length - 1);
  const rendered = cells.flatMap((line) => {
    const parts = columns.map((column, index) => {
      const cell = line[index] ?? '';
      return goesOn(column, index) ? breakLines(cell, widths[index] ?? 0) : [cell];
    });
    const height = Math.max(...parts.map(({ length }) => length));
    return Array.from({ length: height }, (_, row) =>
      render(
        parts.map((part) => part[row] ?? ''),
        line,
      ),
    );
  });
  return `${[header, ...rendered].join('\n')}\n`;
};
