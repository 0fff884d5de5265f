import { arrayAt, at, isObject, objectAt, stringAt } from '../object.ts';
import type { JsonObject, KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import { forbiddenField, invalidValue } from './status-error.ts';
import type { Cause } from './status-error.ts';
import { differsAt } from './validation.ts';

const immutable = 'field is immutable';

/** Fields that cannot change once an object exists. */
const immutableFields: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'deployments.apps': [['spec', 'selector']],
  'replicasets.apps': [['spec', 'selector']],
  'daemonsets.apps': [['spec', 'selector']],
  'jobs.batch': [
    ['spec', 'completions'],
    ['spec', 'selector'],
    ['spec', 'template'],
    ['spec', 'completionMode'],
  ],
  'storageclasses.storage.k8s.io': [['parameters'], ['provisioner'], ['reclaimPolicy'], ['volumeBindingMode']],
  'priorityclasses.scheduling.k8s.io': [['value']],
  'runtimeclasses.node.k8s.io': [['handler']],
  secrets: [['type']],
};

const statefulSetMutable = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]);

/** What is wrong with the change from one version of an object to another. */
export function validateUpdate(before: KubeObject, after: KubeObject, resource: Resource): Cause[] {
  const causes: Cause[] = [];
  for (const path of immutableFields[resource.key] ?? []) {
    if (differsAt(before, after, ...path)) causes.push(invalidValue(path.join('.'), at(after, ...path), immutable));
  }
  specificRules[resource.key]?.(before, after, causes);
  return causes;
}

type UpdateRule = (before: KubeObject, after: KubeObject, causes: Cause[]) => void;

const frozenData: UpdateRule = (before, after, causes) => {
  if (before['immutable'] !== true) return;
  if (after['immutable'] !== true)
    causes.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'));
  for (const field of ['data', 'binaryData']) {
    if (differsAt(before, after, field))
      causes.push(forbiddenField(field, 'field is immutable when `immutable` is set'));
  }
};

const roleRef: UpdateRule = (before, after, causes) => {
  if (differsAt(before, after, 'roleRef'))
    causes.push(invalidValue('roleRef', after['roleRef'], 'cannot change roleRef'));
};

const specificRules: Readonly<Record<string, UpdateRule>> = {
  configmaps: frozenData,
  secrets: frozenData,
  'rolebindings.rbac.authorization.k8s.io': roleRef,
  'clusterrolebindings.rbac.authorization.k8s.io': roleRef,
  'statefulsets.apps': (before, after, causes) => {
    const [old, next] = [objectAt(before, 'spec') ?? {}, objectAt(after, 'spec') ?? {}];
    const changed = Object.keys({ ...old, ...next }).filter(
      (key) => !statefulSetMutable.has(key) && differsAt(old, next, key),
    );
    if (changed.length === 0) return;
    causes.push(
      forbiddenField(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  },
  services: (before, after, causes) => {
    const [old, next] = [stringAt(before, 'spec', 'clusterIP'), stringAt(after, 'spec', 'clusterIP')];
    if (stringAt(after, 'spec', 'type') === 'ExternalName' || old === undefined || old === next) return;
    causes.push(invalidValue('spec.clusterIPs[0]', next === undefined ? null : [next], 'may not change once set'));
  },
  persistentvolumeclaims: (before, after, causes) => {
    const rest = (spec: JsonObject | undefined): JsonObject => {
      const { resources: _resources, volumeName: _volume, volumeAttributesClassName: _class, ...fixed } = spec ?? {};
      return fixed;
    };
    if (differsAt({ spec: rest(objectAt(before, 'spec')) }, { spec: rest(objectAt(after, 'spec')) }, 'spec')) {
      causes.push(
        forbiddenField(
          'spec',
          'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
        ),
      );
    }
    const size = (claim: KubeObject): number =>
      bytes(stringAt(claim, 'spec', 'resources', 'requests', 'storage') ?? '0');
    if (size(after) < size(before)) {
      causes.push(forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'));
    }
  },
  pods: (before, after, causes) => {
    const fixed = (pod: KubeObject): JsonObject => {
      const {
        containers,
        tolerations: _tolerations,
        activeDeadlineSeconds: _deadline,
        ...rest
      } = objectAt(pod, 'spec') ?? {};
      const images = arrayAt({ containers }, 'containers').map((c) => (isObject(c) ? { ...c, image: '' } : c));
      return { ...rest, containers: images };
    };
    if (differsAt({ spec: fixed(before) }, { spec: fixed(after) }, 'spec')) {
      causes.push(
        forbiddenField(
          'spec',
          'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
        ),
      );
    }
  },
  'customresourcedefinitions.apiextensions.k8s.io': (before, after, causes) => {
    const served = new Set(arrayAt(after, 'spec', 'versions').map((version) => stringAt(version, 'name')));
    for (const [index, stored] of arrayAt(before, 'status', 'storedVersions').entries()) {
      if (typeof stored === 'string' && !served.has(stored)) {
        const why = `missing from spec.versions; ${stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${stored} and removes ${stored} from status.storedVersions`;
        causes.push(invalidValue(`status.storedVersions[${index}]`, stored, why));
      }
    }
    for (const field of ['group', 'scope'] as const) {
      if (differsAt(before, after, 'spec', field)) {
        causes.push(invalidValue(`spec.${field}`, at(after, 'spec', field), immutable));
      }
    }
    const kind = ['spec', 'names', 'kind'];
    if (differsAt(before, after, ...kind)) causes.push(invalidValue('spec.names.kind', at(after, ...kind), immutable));
  },
};

const units: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
};

function bytes(quantity: string): number {
  const match = /^([\d.]+)([A-Za-z]*)$/.exec(quantity);
  return match ? Number(match[1]) * (units[match[2] ?? ''] ?? 1) : 0;
}
