import type { KubeObject } from '@breakwater/domain';
import { diffBundles } from './bundle-diff.ts';

const object = (kind: string, name: string, more: object): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'shop' },
  ...more,
});

describe('the difference of two bundles', () => {
  it('names what changed, came and went, by field', () => {
    const from = [object('ConfigMap', 'a', { data: { same: '1', moved: '1', gone: '1' } })];
    const to = [
      object('ConfigMap', 'a', { data: { same: '1', moved: '2', 'a.new': 'x' } }),
      object('Service', 'b', {}),
    ];
    expect(diffBundles(from, to)).toEqual([
      {
        object: 'ConfigMap/shop/a',
        fields: [
          { path: 'data.moved', from: '"1"', to: '"2"' },
          { path: 'data.gone', from: '"1"', to: null },
          { path: 'data["a.new"]', from: null, to: '"x"' },
        ],
        more: 0,
      },
    ]);
  });

  it('never shows a value of a Secret, wherever it is', () => {
    const of = (password: string): readonly KubeObject[] => [
      object('Secret', 's', { data: { password: Buffer.from(password).toString('base64') } }),
      object('ConfigMap', 'c', { data: { url: `postgres://app:${password}@db/` } }),
    ];
    const changes = diffBundles(of('hunter2-old'), of('hunter2-new'));
    expect(changes.map((change) => change.fields)).toEqual([
      [{ path: 'data.password', from: '***', to: '***' }],
      [{ path: 'data.url', from: '"postgres://app:***@db/"', to: '"postgres://app:***@db/"' }],
    ]);
    expect(JSON.stringify(changes)).not.toContain('hunter2');
  });

  it('is bounded, however much differs', () => {
    const of = (value: string): readonly KubeObject[] => [
      object('ConfigMap', 'a', { data: Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, value])) }),
    ];
    const [change] = diffBundles(of('x'.repeat(5_000)), of('y'.repeat(5_000)));
    expect(change).toMatchObject({ more: 20 });
    expect(change!.fields).toHaveLength(30);
    expect(JSON.stringify(change).length).toBeLessThan(15_000);
  });
});
