import { parseFieldPath, valueAt, withValueAt } from './field-path.ts';
import { missingFrom, overlay, owns } from './managed-fields.ts';

const containers = {
  spec: {
    containers: [
      { name: 'web', image: 'a' },
      { name: 'side', image: 'b' },
    ],
  },
};

describe('field paths', () => {
  it.each([
    ['spec.replicas', [{ field: 'spec' }, { field: 'replicas' }]],
    ['metadata.annotations["a.b/c"]', [{ field: 'metadata' }, { field: 'annotations' }, { field: 'a.b/c' }]],
    [
      'spec.containers[name=web].image',
      [{ field: 'spec' }, { field: 'containers' }, { where: { name: 'web' } }, { field: 'image' }],
    ],
    ['/spec/a~1b', [{ field: 'spec' }, { field: 'a/b' }]],
    ['spec..replicas', null],
    ['', null],
  ])('%s', (text, path) => {
    expect(parseFieldPath(text)).toEqual(path);
  });

  it('read, set and drop inside lists', () => {
    const path = parseFieldPath('spec.containers[name=side].image')!;
    expect(valueAt(containers, path)).toBe('b');
    expect(valueAt(withValueAt(containers, path, 'c'), path)).toBe('c');
    expect(withValueAt(containers, path, undefined)).toEqual({
      spec: { containers: [{ name: 'web', image: 'a' }, { name: 'side' }] },
    });
  });
});

describe('managed fields', () => {
  const tree = { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } }, 'f:replicas': {} } };

  it('tell who owns a path', () => {
    expect(owns(tree, parseFieldPath('spec.containers[name=web].image')!)).toBe(true);
    expect(owns(tree, parseFieldPath('spec.containers[name=side].image')!)).toBe(false);
    expect(owns(tree, parseFieldPath('spec')!)).toBe(true);
  });

  it('give back the values of exactly the fields that were lost', () => {
    const lost = missingFrom(tree, { 'f:spec': { 'f:replicas': {} } });
    expect(lost).toEqual({ 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } });
    const source = { spec: { replicas: 9, containers: [{ name: 'web', image: 'old' }] } };
    expect(overlay({ ...containers, other: 1 }, source, lost!)).toEqual({
      spec: {
        containers: [
          { name: 'web', image: 'old' },
          { name: 'side', image: 'b' },
        ],
      },
      other: 1,
    });
    expect(missingFrom(tree, tree)).toBeNull();
  });
});
