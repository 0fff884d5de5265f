import { gzipSync } from 'node:zlib';
import { readChartArchive } from './chart-archive.ts';
import { withDefaults } from './render-limits.ts';
import { tar } from './tar.fixture.ts';

const read = (entries: Parameters<typeof tar>[0]): readonly string[] =>
  readChartArchive(gzipSync(tar(entries)), 'x.tgz', withDefaults(undefined)).map(({ path }) => path);
const long = (path: string) => ({ '././@LongLink': { type: 'L', content: path }, 'x/short': 'y' });

describe('the archive of a chart', () => {
  it('has long paths, and a file more than once', () => {
    expect(read(long(`x/${'n'.repeat(200)}`))).toEqual([`x/${'n'.repeat(200)}`]);
    expect(read({ 'x/a': '1', pax: { type: 'x', content: '12 path=x/a\n' }, 'x/b': '2' })).toEqual(['x/a', 'x/a']);
  });

  it.each([
    ['a name that is too long', long(`x/${'n'.repeat(256)}`)],
    ['a path that is too long', long(`x/${`${'n'.repeat(200)}/`.repeat(11)}a`)],
    ['a path that is too deep', long(`x/${'n/'.repeat(50)}a`)],
    ['a NUL in a name', long('x/a\0b')],
    ['a NUL in a name of pax', { pax: { type: 'x', content: '13 path=x/a\0b\n' }, 'x/b': '2' }],
    ['a file that is a directory', { 'x/a/b': '1', 'x/a': '2' }],
    ['a directory that is a file', { 'x/a': '1', 'x/a/b/c': '2' }],
  ])('is refused with %s', (_what, entries) => {
    expect(() => read(entries)).toThrow('archive');
  });
});
