import fc from 'fast-check';
import { bundleDigest, canonicalJson, objectDigest } from './canonical.ts';
import type { KubeObject } from './object.ts';

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffled(member)]),
  );
};

const configMap = (name: string, value: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data: { value },
});

describe('canonical JSON', () => {
  it('says the same as JSON, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
    );
  });

  it('has one form for numbers, text and keys', () => {
    expect(canonicalJson({ b: 1.0, a: -0, ü: '\u2028"', 10: null, 9: undefined, A: [undefined, 1e21] })).toBe(
      '{"10":null,"A":[null,1e+21],"a":0,"b":1,"ü":"\u2028\\""}',
    );
  });

  it('refuses what JSON cannot say', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const value of [Number.NaN, Infinity, 1n, () => 1, Symbol('x'), cycle]) {
      expect(() => canonicalJson({ value })).toThrow(TypeError);
    }
  });

  it('writes a value that is there twice, which is no cycle', () => {
    const shared = { a: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });
});

describe('digests', () => {
  it('differ by any change of an object, and not by the order of objects', () => {
    const [a, b] = [configMap('a', '1'), configMap('b', '1')];
    expect(bundleDigest([a, b])).toBe(bundleDigest([b, a]));
    expect(bundleDigest([a, configMap('b', '2')])).not.toBe(bundleDigest([a, b]));
    expect(bundleDigest([a])).not.toBe(bundleDigest([a, b]));
    expect(objectDigest(a)).not.toBe(objectDigest(b));
    expect(objectDigest({ ...a, apiVersion: 'v2' })).not.toBe(objectDigest(a));
  });
});
