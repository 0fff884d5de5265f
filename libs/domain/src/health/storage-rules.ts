import type { KubeObject } from '../kubernetes/object.ts';
import { conditionIs, conditionText } from './condition.ts';
import { eventsOf, indexEvents } from './event.ts';
import { listAt, stringAt } from './json-field.ts';
import { failing, healthy, progressing, unknown } from './object-health.ts';
import type { HealthContext, HealthRule } from './object-health.ts';

export const assessPersistentVolumeClaim: HealthRule = (claim, context) => {
  const phase = stringAt(claim, 'status', 'phase');
  if (phase === 'Bound') return healthy('Bound', `the claim is bound${resizing(claim)}`);
  if (phase === 'Lost') return failing('ClaimLost', 'the volume of the claim is gone');
  if (waitsForConsumer(claim, context)) {
    return healthy('WaitForFirstConsumer', 'pending: it is bound when the first pod uses it');
  }
  return progressing('ClaimPending', `the claim is not bound (${phase ?? 'no phase yet'})`);
};

/** Usable all the while, so that nothing has to wait for it. */
const resizing = (claim: KubeObject): string => {
  const condition =
    conditionIs(claim, 'FileSystemResizePending', 'True') ??
    conditionIs(claim, 'Resizing', 'True') ??
    conditionIs(claim, 'ControllerResizeError', 'True') ??
    conditionIs(claim, 'NodeResizeError', 'True');
  return condition === undefined ? '' : `; ${condition.type}: ${conditionText(condition, 'its size changes')}`;
};

/**
 * The binding mode is the storage class's, which is not at hand; the volume controller says in an event that it waits.
 * Once a pod uses the claim, the wait is over and only a bound claim will do.
 */
const waitsForConsumer = (claim: KubeObject, { events, pods }: HealthContext): boolean => {
  const namespace = stringAt(claim, 'metadata', 'namespace');
  const name = stringAt(claim, 'metadata', 'name');
  const used = pods.some(
    (pod) =>
      stringAt(pod, 'metadata', 'namespace') === namespace &&
      listAt(pod, 'spec', 'volumes').some((volume) => stringAt(volume, 'persistentVolumeClaim', 'claimName') === name),
  );
  return !used && eventsOf(claim, indexEvents(events)).some((event) => event.reason === 'WaitForFirstConsumer');
};

export const assessPersistentVolume: HealthRule = (volume) => {
  const phase = stringAt(volume, 'status', 'phase');
  switch (phase) {
    case 'Bound':
    case 'Available':
    case 'Released':
      return healthy(phase, `the volume is ${phase.toLowerCase()}`);
    case 'Failed':
      return failing(
        stringAt(volume, 'status', 'reason') ?? 'VolumeFailed',
        stringAt(volume, 'status', 'message') ?? 'the volume could not be reclaimed',
      );
    case 'Pending':
    case undefined:
      return progressing('VolumePending', 'the volume is not available yet');
    default:
      return unknown('UnknownPhase', `unknown phase ${phase}`);
  }
};
