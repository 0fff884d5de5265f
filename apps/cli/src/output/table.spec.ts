import { paintFor, printable } from './style.ts';
import { table } from './table.ts';
import { elapsed } from './time.ts';

const plain = paintFor(false);
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

const columns = [
  { title: 'ID', value: (row: { id: string }) => row.id },
  { title: 'NAME', value: (row: { name: string }) => row.name, flexible: true },
  { title: 'WHAT', value: (row: { what: string }) => row.what, flexible: true, wrap: true },
];

it('takes room from flexible columns, never from ids', () => {
  const row = { id: 'x'.repeat(36), name: 'n'.repeat(80), what: 'short' };
  const text = table([row], columns, plain);
  expect(widest(text)).toBeLessThanOrEqual(100);
  expect(text).toContain(row.id);
  expect(text).toContain('…');
});

it('goes on below in the last column, and loses nothing', () => {
  const what = `begin ${'word '.repeat(40)}${'y'.repeat(150)} end`;
  const text = table([{ id: '1', name: 'n', what }], columns, plain);
  expect(widest(text)).toBeLessThanOrEqual(100);
  expect(text.replaceAll(/\s+/g, '')).toBe(`IDNAMEWHAT1n${what.replaceAll(' ', '')}`);
  expect(text.split('\n')[2]).toMatch(/^ {7,}\S/);
});

it('wraps names and ids rather than cutting them, when nothing else makes room', () => {
  const row = { id: 'i'.repeat(70), name: 'n'.repeat(80), what: 'w'.repeat(80) };
  const text = table([row], columns, plain, 60);
  expect(widest(text)).toBeLessThanOrEqual(60);
  expect(text.replaceAll(/[^i]/g, '')).toBe(row.id);
});

it('colours states, and only on a terminal', () => {
  const states = [{ title: 'STATE', value: (state: string) => state, state: true }];
  expect(table(['Progressing (paused)'], states, paintFor(true))).toContain('\u001b[33mProgressing (paused)\u001b[0m');
  expect(table(['Progressing (paused)'], states, plain)).not.toContain('\u001b');
});

it('shows no control character, and nothing that turns the direction of text', () => {
  expect(printable('a\u001b[2Jb\u202ec\r\nd')).toBe('a [2Jb c d');
});

it.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_725_000, '1h2m'],
  [90_000_000, '1d1h'],
])('%d ms is %s', (ms, text) => expect(elapsed(ms)).toBe(text));
