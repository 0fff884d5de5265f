/**
 * Draws what a terminal shows at the end as SVG: `script -qec "npm run demo -- --exit" demo.txt`, then
 * `node docs/images/terminal-svg.mjs demo.txt docs/images/demo.svg`. Understands colours, and lines that are drawn again.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const [, , from, to, title = 'npm run demo'] = process.argv;
const COLOURS = { 31: '#f7768e', 32: '#9ece6a', 33: '#e0af68', 34: '#7aa2f7', 36: '#7dcfff', 90: '#7f87ad' };
const INK = '#c8d0f0';
const [CELL, LINE, LEFT, TOP] = [7.83, 18, 22, 58];
const COLUMNS = 112;
const ESC = String.fromCharCode(27);
const INDENT = ' '.repeat(14);

/** Lines of runs `{ text, style }`, as they are left after cursor movements. */
function screen(text) {
  const lines = [[]];
  let row = 0;
  let style = '';
  const pattern = new RegExp(`${ESC}\\[(\\d*(?:;\\d+)*)([A-Za-z])|([^${ESC}\\r\\n]+)|(\\n)`, 'g');
  for (const [, args, command, run, newline] of text.matchAll(pattern)) {
    if (newline) lines[++row] ??= [];
    else if (run) lines[row].push({ text: run, style });
    else if (command === 'm') style = args === '0' || args === '' ? '' : `${style} ${args}`.trim();
    else if (command === 'A') row = Math.max(0, row - Number(args || 1));
    else if (command === 'J') {
      lines.length = row;
      lines[row] = [];
    }
  }
  return lines;
}

/** A line that is too long goes on below, further in. */
function wrapped(line) {
  const rows = [[]];
  let used = 0;
  for (const { text, style } of line) {
    for (const word of text.split(/(?<= )/)) {
      if (used + word.trimEnd().length > COLUMNS && used > INDENT.length) {
        rows.push([{ text: INDENT, style: '' }]);
        used = INDENT.length;
      }
      const last = rows.at(-1).at(-1);
      if (last?.style === style) last.text += word;
      else rows.at(-1).push({ text: word, style });
      used += [...word].length;
    }
  }
  return rows;
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function span({ text, style }) {
  const codes = style.split(' ');
  const colour = codes.map((code) => COLOURS[code]).find((each) => each !== undefined);
  const attributes = [
    ...(colour === undefined ? [] : [`fill="${colour}"`]),
    ...(codes.includes('1') ? ['font-weight="bold"'] : []),
  ];
  return attributes.length === 0 ? escaped(text) : `<tspan ${attributes.join(' ')}>${escaped(text)}</tspan>`;
}

const story = readFileSync(from, 'utf8').replace(/^Script (started|done).*$/gm, '');
const lines = screen(story).flatMap(wrapped);
while (lines.at(-1)?.length === 0) lines.pop();
while (lines[0]?.length === 0) lines.shift();
const width = Math.ceil(COLUMNS * CELL + 2 * LEFT);
const height = TOP + lines.length * LINE + 8;
const rows = lines.map((line, index) => `<text y="${TOP + index * LINE}">${line.map(span).join('')}</text>`);
writeFileSync(
  to,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${title}">
<rect width="${width}" height="${height}" rx="10" fill="#1a1b26"/>
<circle cx="22" cy="20" r="6" fill="#f7768e"/><circle cx="42" cy="20" r="6" fill="#e0af68"/><circle cx="62" cy="20" r="6" fill="#9ece6a"/>
<text x="${width / 2}" y="24" fill="#7f87ad" font-family="sans-serif" font-size="13" text-anchor="middle">${escaped(title)}</text>
<g transform="translate(${LEFT} 0)" fill="${INK}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`,
);
