import { groupOf, keyOf, objectKey, parseObjectKey } from './object.ts';

const object = (apiVersion: string, kind: string, name: string, namespace?: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

describe('the key of an object', () => {
  it.each([
    ['apps/v1', 'Deployment', 'web', 'podinfo', 'apps/Deployment/podinfo/web'],
    ['v1', 'Service', 'web', 'podinfo', 'Service/podinfo/web'],
    [
      'rbac.authorization.k8s.io/v1',
      'ClusterRole',
      'system:view',
      undefined,
      'rbac.authorization.k8s.io/ClusterRole//system:view',
    ],
    ['v1', 'Namespace', 'podinfo', undefined, 'Namespace//podinfo'],
  ] as const)('has no version: %s %s', (apiVersion, kind, name, namespace, key) => {
    expect(objectKey(object(apiVersion, kind, name, namespace))).toBe(key);
    expect(objectKey(object(apiVersion.replace('v1', 'v2beta1'), kind, name, namespace))).toBe(key);
    const reference = { group: groupOf(apiVersion), kind, namespace: namespace ?? '', name };
    expect(parseObjectKey(key)).toEqual(reference);
    expect(keyOf(reference)).toBe(key);
  });

  it('is read as far as it goes where it is none', () => {
    expect(parseObjectKey('web')).toEqual({ group: '', kind: '', namespace: '', name: 'web' });
    expect(parseObjectKey('')).toEqual({ group: '', kind: '', namespace: '', name: '' });
  });
});
