import type { AuditEntry } from '@breakwater/testing';
import { landingOf } from './real-campaign-cluster.ts';

const entry = (more: Partial<AuditEntry>): AuditEntry => ({
  auditID: '1',
  stage: 'ResponseComplete',
  verb: 'patch',
  user: 'breakwater',
  userAgent: '',
  requestURI: '/',
  requestReceivedTimestamp: '',
  receivedAt: 10,
  completedAt: 12,
  code: 200,
  apiGroup: '',
  resource: 'configmaps',
  subresource: '',
  namespace: 'web',
  name: 'settings-0',
  dryRun: false,
  ...more,
});

describe('what an audit log says of a write', () => {
  it('an object, with the version that was sent', () => {
    expect(landingOf('c0', entry({ requestObject: { data: { version: '7' } } }))).toEqual({
      cluster: 'c0',
      receivedAt: 10,
      landedAt: 12,
      verb: 'write',
      object: 'configmaps/web/settings-0',
      version: '7',
      fence: null,
    });
  });

  it('an apply that makes an object is a create', () => {
    expect(landingOf('c0', entry({ code: 201 }))).toMatchObject({ verb: 'create' });
  });

  it('a Deployment is of the version of its image, whatever the image does', () => {
    const spec = { template: { spec: { containers: [{ image: 'shop/web:degrades-3s-12' }] } } };
    expect(landingOf('c0', entry({ resource: 'deployments', name: 'web', requestObject: { spec } }))).toMatchObject({
      version: '12',
    });
  });

  it('the mark of a take-over is of no version', () => {
    const requestObject = { metadata: { annotations: { 'breakwater.dev/epoch': '3' } } };
    expect(landingOf('c0', entry({ requestObject }))).toMatchObject({ verb: 'write', version: null });
  });

  it('a fence, with what it says', () => {
    const requestObject = { data: { rollout: 'r1', epoch: '12', state: 'open' } };
    const fence = entry({ verb: 'update', namespace: 'breakwater-system', name: 'web', requestObject });
    expect(landingOf('c0', fence)).toMatchObject({ version: null, fence: { rollout: 'r1', epoch: 12, open: true } });
  });

  it('the deletion of the namespace', () => {
    const deletion = entry({ verb: 'delete', resource: 'namespaces', namespace: 'web', name: 'web' });
    expect(landingOf('c0', deletion)).toMatchObject({ verb: 'delete', object: 'namespaces//web' });
  });

  it.each([
    ['refused', { code: 409 }],
    ['never answered', { code: 0 }],
    ['elsewhere', { namespace: 'default' }],
    ['a touch of the system namespace', { resource: 'namespaces', namespace: 'breakwater-system' }],
  ])('nothing that changed the application: %s', (_why, more) => {
    expect(landingOf('c0', entry(more))).toBeNull();
  });
});
