import type { KubeObject } from '../kubernetes/object.ts';
import { listAt, objectAt, stringAt, timeAt } from './json-field.ts';

/** What an Event says, of the core group or of `events.k8s.io`. */
export interface ObservedEvent {
  readonly warning: boolean;
  readonly reason: string;
  readonly message: string;
  /** Epoch milliseconds by the cluster's clock; 0 when the event has no time. Compared with other events only. */
  readonly at: number;
}

const subjectOf = (event: KubeObject) => objectAt(event, 'involvedObject') ?? objectAt(event, 'regarding');

/** A successor of the same name has another uid, and another story. */
const isAbout = (event: KubeObject, object: unknown): boolean => {
  const uid = stringAt(subjectOf(event), 'uid');
  const objectUid = stringAt(object, 'metadata', 'uid');
  return uid === undefined || objectUid === undefined || uid === objectUid;
};

const timeOf = (event: KubeObject): number =>
  Math.max(
    0,
    ...[
      timeAt(event, 'series', 'lastObservedTime'),
      timeAt(event, 'lastTimestamp'),
      timeAt(event, 'deprecatedLastTimestamp'),
      timeAt(event, 'eventTime'),
      timeAt(event, 'metadata', 'creationTimestamp'),
    ].filter((time) => time !== undefined),
  );

/** Events by the name of what they are about, so that explaining one pod does not read those of a whole namespace. */
export type EventIndex = ReadonlyMap<string, readonly KubeObject[]>;

const subjectKey = (kind?: string, namespace?: string, name?: string): string =>
  `${kind ?? ''}/${namespace ?? ''}/${name ?? ''}`;

export const indexEvents = (events: readonly KubeObject[]): EventIndex =>
  Map.groupBy(events, (event) => {
    const subject = subjectOf(event);
    return subjectKey(stringAt(subject, 'kind'), stringAt(subject, 'namespace'), stringAt(subject, 'name'));
  });

/** The events about one object, newest first. */
export const eventsOf = (object: unknown, index: EventIndex): readonly ObservedEvent[] => {
  const namespace = stringAt(object, 'metadata', 'namespace');
  const candidates = index.get(subjectKey(stringAt(object, 'kind'), namespace, stringAt(object, 'metadata', 'name')));
  return (candidates ?? [])
    .filter((event) => isAbout(event, object))
    .map((event) => ({
      warning: stringAt(event, 'type') === 'Warning',
      reason: stringAt(event, 'reason') ?? 'Event',
      message: stringAt(event, 'message') ?? stringAt(event, 'note') ?? '',
      at: timeOf(event),
    }))
    .sort((a, b) => b.at - a.at);
};

export const newestWarning = (object: unknown, events: EventIndex): ObservedEvent | undefined =>
  eventsOf(object, events).find((event) => event.warning);

/** The owner that controls an object, else its only owner. */
export const controllerOf = (object: unknown): { readonly uid: string; readonly kind: string } | undefined => {
  const owners = listAt(object, 'metadata', 'ownerReferences');
  const owner = owners.find((entry) => entry['controller'] === true) ?? (owners.length === 1 ? owners[0] : undefined);
  const uid = stringAt(owner, 'uid');
  return uid === undefined ? undefined : { uid, kind: stringAt(owner, 'kind') ?? '' };
};
