import fc from 'fast-check';
import { document, linesOf } from './documents.testing.ts';
import { readFleetDocuments, selectFleetFiles } from './index.ts';

const app = (name: string, path: string): string =>
  document('Application', name, `{ fleet: shop, source: { path: "${path}" } }`);
const cluster = (name: string): string => document('Cluster', name, '{ region: eu }');
const read = (tree: Record<string, string>) => {
  const result = readFleetDocuments(Object.entries(tree).map(([path, text]) => ({ path, text })));
  return { names: result.documents.map((found) => found.name), lines: linesOf(result.errors), ...result };
};

describe('files below a source', () => {
  it('are never read as fleet documents, not even to complain', () => {
    const { names, errors, excluded } = read({
      'web.yaml': app('web', './apps//web/'),
      'apps/web/cluster.yaml': cluster('inside'),
      'apps/web/broken.yaml': 'apiVersion: breakwater.dev/v1alpha1\nkind: [',
      'apps/website/cluster.yaml': cluster('beside'),
    });
    expect(names).toEqual(['beside', 'web']);
    expect(errors).toEqual([]);
    expect(excluded).toEqual(['apps/web/broken.yaml', 'apps/web/cluster.yaml']);
  });

  it('stay out when the application itself has errors', () => {
    const { names, errors } = read({
      'web.yaml': document('Application', 'web', '{ fleet: 1, source: { path: apps/web } }'),
      'apps/web/cluster.yaml': cluster('inside'),
    });
    expect(names).toEqual([]);
    expect(errors).toMatchObject([{ blocks: 'application/web', field: 'spec.fleet' }]);
  });

  it.each([
    ['.', 'InvalidValue'],
    ['./', 'InvalidValue'],
    ['apps', 'SourceContainsDocument'],
    ['apps/.', 'SourceContainsDocument'],
  ])('that take in the document itself (%s) are refused once and exclude nothing', (path, reason) => {
    const { names, errors } = read({ 'apps/web.yaml': app('web', path), 'apps/cluster.yaml': cluster('a') });
    expect(names).toContain('a');
    expect(errors.map((error) => [error.blocks, error.reason])).toEqual([['application/web', reason]]);
  });

  it.each(['..', '../x', '/', '/apps', 'apps/../..', 'a\\\\b', ''])(
    'outside of the tree (%s) exclude nothing',
    (path) => {
      const { names, errors } = read({ 'web.yaml': app('web', path), 'apps/cluster.yaml': cluster('a') });
      expect(names).toEqual(['a']);
      expect(errors[0]).toMatchObject({ field: 'spec.source.path', blocks: 'application/web' });
    },
  );

  it('void an Application among them, and what that one claims', () => {
    const { names } = read({
      'outer.yaml': app('outer', 'apps/outer'),
      'apps/outer/inner.yaml': app('inner', 'clusters'),
      'clusters/a.yaml': cluster('a'),
    });
    expect(names).toEqual(['a', 'outer']);
  });

  it('settle a chain from its free end', () => {
    const { names } = read({
      'a.yaml': app('a', 'one'),
      'one/b.yaml': app('b', 'two'),
      'two/c.yaml': app('c', 'three'),
      'three/d.yaml': cluster('d'),
    });
    expect(names).toEqual(['a', 'c']);
  });

  it('that take in one another are refused, both, and exclude nothing', () => {
    const { names, errors } = read({
      'x/a.yaml': app('a', 'y'),
      'y/b.yaml': app('b', 'x'),
      'y/cluster.yaml': cluster('c'),
    });
    expect(names).toEqual(expect.arrayContaining(['c']));
    expect(errors.map((error) => error.blocks)).toEqual(['application/a', 'application/b']);
  });

  it('are the same whatever order the files come in', () => {
    const folders = ['x', 'y', 'z', 'x/y', '.'] as const;
    const claim = fc.tuple(fc.constantFrom(...folders), fc.constantFrom(...folders));
    fc.assert(
      fc.property(
        fc.array(claim, { maxLength: 8 }).chain((claims) => {
          const files = claims.map(([at, path], index) => ({
            path: `${at}/${index}.yaml`,
            text: app(`a${index}`, path),
          }));
          return fc.tuple(fc.constant(files), fc.shuffledSubarray(files, { minLength: files.length }));
        }),
        ([files, shuffled]) => {
          const plain = ({ documents, errors, excluded }: ReturnType<typeof readFleetDocuments>) => ({
            names: documents.map((found) => found.name),
            errors,
            excluded,
          });
          expect(plain(readFleetDocuments(shuffled))).toEqual(plain(readFleetDocuments(files)));
        },
      ),
    );
  });
});

describe('.breakwaterignore', () => {
  const paths = ['a.yaml', 'a/b.yaml', 'a/b/c.yml', 'a/b/d.json', 'x/b.yaml', 'docs/readme.md', '.git/config.yaml'];
  it.each([
    ['selects YAML and JSON without it', '', ['a.yaml', 'a/b.yaml', 'a/b/c.yml', 'a/b/d.json', 'x/b.yaml']],
    ['a name, anywhere', 'b.yaml', ['a.yaml', 'a/b/c.yml', 'a/b/d.json']],
    ['a path from the root', '/a/b.yaml', ['a.yaml', 'a/b/c.yml', 'a/b/d.json', 'x/b.yaml']],
    ['a folder', 'b/', ['a.yaml', 'a/b.yaml', 'x/b.yaml']],
    ['a folder with everything below it', 'a', ['a.yaml', 'x/b.yaml']],
    ['a star stays in its segment', '/*/b.yaml', ['a.yaml', 'a/b/c.yml', 'a/b/d.json']],
    ['two stars cross them', 'a/**/*.json', ['a.yaml', 'a/b.yaml', 'a/b/c.yml', 'x/b.yaml']],
    ['the last line wins', '*\n!a.yaml', ['a.yaml']],
    ['comments and blank lines', '# a\n\n  \r\nx/b.yaml\r', ['a.yaml', 'a/b.yaml', 'a/b/c.yml', 'a/b/d.json']],
  ])('%s', (_, text, selected) => {
    expect(selectFleetFiles(paths, text)).toEqual(selected);
  });

  it('cannot be made to hang', () => {
    const path = `${'a/'.repeat(200)}${'a'.repeat(200)}b.yaml`;
    const pattern = `${'**/a*'.repeat(60)}c`;
    expect(selectFleetFiles([path], Array.from({ length: 20 }, () => pattern).join('\n'))).toEqual([path]);
  }, 60_000);
});
