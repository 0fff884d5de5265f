import { inBatches, isBlocker } from './apply-order.ts';

const object = (apiVersion: string, kind: string): { apiVersion: string; kind: string } => ({ apiVersion, kind });

describe('apply order', () => {
  it('puts what others need first, and what can refuse others last', () => {
    const shuffled = [
      object('apiregistration.k8s.io/v1', 'APIService'),
      object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding'),
      object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy'),
      object('example.com/v1', 'Lamp'),
      object('apps/v1', 'Deployment'),
      object('v1', 'Service'),
      object('v1', 'ConfigMap'),
      object('rbac.authorization.k8s.io/v1', 'RoleBinding'),
      object('rbac.authorization.k8s.io/v1', 'Role'),
      object('v1', 'ServiceAccount'),
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
      object('v1', 'Namespace'),
    ];
    expect(inBatches(shuffled, (item) => item).map(({ items }) => items.map(({ kind }) => kind))).toEqual([
      ['Namespace'],
      ['CustomResourceDefinition'],
      ['ServiceAccount'],
      ['Role'],
      ['RoleBinding'],
      ['ConfigMap'],
      ['Service'],
      ['Deployment'],
      ['Lamp'],
      ['APIService', 'ValidatingAdmissionPolicy'],
      ['ValidatingAdmissionPolicyBinding'],
    ]);
  });

  it('knows what can refuse other writes, whatever its name is', () => {
    expect(isBlocker(object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'))).toBe(true);
    expect(isBlocker(object('apiregistration.k8s.io/v1', 'APIService'))).toBe(true);
    expect(isBlocker(object('example.com/v1', 'ValidatingWebhookConfiguration'))).toBe(false);
  });
});
