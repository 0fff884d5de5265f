import { printable } from './style.ts';
import type { Colour, Paint } from './style.ts';
import { wrapped } from './wrap.ts';

/** Text and its colour; null: none. */
export type HeadPart = readonly [text: string, colour: Colour | null];

/** Wrapped as plain text and painted afterwards, since colours have no width; what was broken over two lines stays plain. */
export const headLines = (parts: readonly HeadPart[], paint: Paint, gap = '  '): string[] => {
  const lines = wrapped(printable(parts.map(([text]) => text).join(gap)), '');
  for (const [text, colour] of parts) {
    const shown = printable(text);
    const at = lines.findIndex((line) => line.includes(shown));
    if (colour !== null && shown !== '' && at >= 0)
      lines[at] = (lines[at] ?? '').replace(shown, () => paint(colour, shown));
  }
  return lines;
};
