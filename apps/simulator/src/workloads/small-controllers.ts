import { arrayAt, equal, numberAt, objectAt, stringAt } from '../object.ts';
import type { KubeObject } from '../object.ts';
import { resourceOf } from '../api/object-lifecycle.ts';
import { selectorMatches } from '../api/validation.ts';
import { isGoing, isReady, podResource, scaled, writeStatus } from './controller.ts';
import type { ControllerContext } from './controller.ts';

export const claimResource = resourceOf('persistentvolumeclaims');
export const serviceResource = resourceOf('services');
export const budgetResource = resourceOf('poddisruptionbudgets.policy');

/** Claims are bound at once, to a volume that nobody can look at. */
export function reconcileClaim(context: ControllerContext, claim: KubeObject): void {
  if (isGoing(claim) || stringAt(claim, 'status', 'phase') === 'Bound') return;
  const accessModes = arrayAt(claim, 'spec', 'accessModes');
  const storage = stringAt(claim, 'spec', 'resources', 'requests', 'storage') ?? '1Gi';
  const volumeName = stringAt(claim, 'spec', 'volumeName') ?? `pvc-${claim.metadata.uid ?? ''}`;
  const status = { phase: 'Bound', accessModes, capacity: { storage } };
  context.lifecycle.patch(claimResource, claim, { spec: { ...objectAt(claim, 'spec'), volumeName }, status });
}

/** A load balancer has an address of the documentation's range. */
export function reconcileService(context: ControllerContext, service: KubeObject): void {
  if (isGoing(service) || stringAt(service, 'spec', 'type') !== 'LoadBalancer') return;
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.10', ipMode: 'VIP' }] } };
  if (!equal(service['status'], status)) writeStatus(context, serviceResource, service, status);
}

export function reconcileBudget(context: ControllerContext, budget: KubeObject): void {
  if (isGoing(budget)) return;
  const selector = objectAt(budget, 'spec', 'selector');
  const pods = context.lifecycle.store
    .list(podResource, budget.metadata.namespace)
    .filter((pod) => selectorMatches(selector, pod.metadata.labels ?? {}));
  const healthy = pods.filter(isReady).length;
  const spec = objectAt(budget, 'spec') ?? {};
  const most = spec['maxUnavailable'];
  const desired =
    most === undefined
      ? scaled(spec['minAvailable'], pods.length, true)
      : pods.length - scaled(most, pods.length, true);
  const allowed = Math.max(0, healthy - desired);
  const status = {
    observedGeneration: budget.metadata.generation ?? 0,
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: Math.max(0, desired),
    expectedPods: pods.length,
  };
  const { conditions: _conditions, ...before } = objectAt(budget, 'status') ?? {};
  if (equal(before, status) && numberAt(before, 'observedGeneration') !== undefined) return;
  writeStatus(context, budgetResource, budget, status);
}
