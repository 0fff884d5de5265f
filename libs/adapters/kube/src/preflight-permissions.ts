import type { PreflightFinding } from '@breakwater/domain';
import { SYSTEM_NAMESPACE } from './fence.ts';
import { CONFIG_MAPS, type KubeApi } from './kube-api.ts';
import type { PlannedWrite } from './preflight-findings.ts';
import { inParallel } from './parallel.ts';

interface Access {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
}

const AT_ONCE = 6;
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** The verbs without which the release, its rollback and its fence cannot be written, each once. */
const accessNeeded = (writes: readonly PlannedWrite[], deletes: boolean): readonly Access[] => {
  const needed = new Map<string, Access>();
  const need = (access: Access): void => void needed.set(Object.values(access).join(' '), access);
  for (const { wanted, decision } of writes) {
    const { group, plural: resource } = wanted.place.mapping;
    const { namespace } = wanted.place;
    const makes = decision.kind !== 'Update';
    // What is made is deleted by a rollback; Jobs are deleted to be replaced. A namespace that is only used is neither.
    const verbs = ['patch', ...(makes ? ['create', 'delete'] : []), ...(deletes && !wanted.implied ? ['delete'] : [])];
    for (const verb of verbs) need({ verb, group, resource, namespace });
  }
  if (writes.length > 0)
    for (const verb of ['get', 'create', 'update'])
      need({ verb, group: CONFIG_MAPS.group, resource: CONFIG_MAPS.plural, namespace: SYSTEM_NAMESPACE });
  return [...needed.values()];
};

/** Null: the API server does not say; the dry runs will. */
const isAllowed = async (api: KubeApi, access: Access, signal: AbortSignal): Promise<boolean | null> => {
  const reply = await api.transport.send({
    method: 'POST',
    path: REVIEWS,
    contentType: 'application/json',
    body: JSON.stringify({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: access },
    }),
    signal,
  });
  if (reply.status !== 201 && reply.status !== 200) return null;
  try {
    const review = JSON.parse(reply.body) as { readonly status?: { readonly allowed?: unknown } };
    return typeof review.status?.allowed === 'boolean' ? review.status.allowed : null;
  } catch {
    return null;
  }
};

export const missingPermissions = async (
  api: KubeApi,
  writes: readonly PlannedWrite[],
  deletes: boolean,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> => {
  const answers = await inParallel(accessNeeded(writes, deletes), AT_ONCE, async (access) => ({
    access,
    allowed: await isAllowed(api, access, signal),
  }));
  return answers
    .filter(({ allowed }) => allowed === false)
    .map(({ access: { verb, group, resource, namespace } }) => {
      const where = namespace === '' ? '' : ` in namespace ${namespace}`;
      const what = group === '' ? resource : `${resource}.${group}`;
      return { reason: 'Forbidden', object: null, message: `the credentials may not ${verb} ${what}${where}` };
    });
};
