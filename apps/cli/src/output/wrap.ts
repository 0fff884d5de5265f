import { TABLE_WIDTH } from './table-width.ts';

/** Breaks at spaces; a word that is longer than a line is broken where it must be. `first`: how long the first line may be. */
export const breakLines = (text: string, width: number, first = width): string[] => {
  const lines: string[] = [];
  const room = (): number => (lines.length === 0 ? first : width);
  let line = '';
  for (const word of text.split(' ')) {
    let rest = line === '' ? word : `${line} ${word}`;
    if (rest.length > room() && line !== '') {
      lines.push(line);
      rest = word;
    }
    while (rest.length > room()) {
      const cutAt = room();
      lines.push(rest.slice(0, cutAt));
      rest = rest.slice(cutAt);
    }
    line = rest;
  }
  return [...lines, line];
};

/** Wraps at words, so that nothing of an explanation is cut away; what goes on below is set in. */
export const wrapped = (text: string, indent: string, width = TABLE_WIDTH): string[] =>
  breakLines(text, width - indent.length - 2, width - indent.length).map((part, index) =>
    `${index === 0 ? indent : `${indent}  `}${part}`.trimEnd(),
  );
