/**
 * Text from clusters and people as Markdown that shows it and does nothing else: no markup, links, HTML or new lines, and nothing that
 * turns the direction of what follows.
 */
export const escaped = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029\ud800-\udfff]+/gu, ' ')
    .replaceAll(/[\\`*_[\]<>|~&!#$]/g, (sign) => `\\${sign}`)
    .replaceAll('://', ':\\/\\/')
    .replaceAll(/\bwww\./gi, (prefix) => `${prefix.slice(0, -1)}\\.`)
    .trim()
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2')
    .replace(/^[-+](?=\s|$)|^[-=]+$/, (sign) => `\\${sign}`);

export const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export const markdownTable = (titles: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  row(titles),
  row(titles.map(() => '---')),
  ...rows.map((cells) => row(cells.map(escaped))),
];
