import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { groupOf } from '@breakwater/domain';
import type { FieldPath } from './field-path.ts';

export const REPLICAS: FieldPath = [{ field: 'spec' }, { field: 'replicas' }];

/** What a HorizontalPodAutoscaler scales; nothing for any other object. */
export const scaleTarget = (hpa: KubeObject, namespace: string): readonly ObjectKey[] => {
  if (hpa.kind !== 'HorizontalPodAutoscaler' || groupOf(hpa.apiVersion) !== 'autoscaling') return [];
  const target = (hpa['spec'] as { scaleTargetRef?: { apiVersion?: string; kind?: string; name?: string } } | undefined)
    ?.scaleTargetRef;
  if (target?.kind === undefined || target.name === undefined) return [];
  const group = groupOf(target.apiVersion ?? 'apps/v1');
  const prefix = group === '' ? '' : `${group}/`;
  return [`${prefix}${target.kind}/${hpa.metadata.namespace ?? namespace}/${target.name}` as ObjectKey];
};
