import type { Change, Instant, Revision, Rollout, Signal, SignalKind, Target } from '@breakwater/domain';
import type { StoredAuditEvent } from '../ports/record.port.ts';

/** A rollout that has a target on the cluster, as both are now. */
export interface RolloutHere {
  readonly rollout: Rollout;
  readonly target: Target;
}

/** Null: the event tells of nothing that broke. */
const targetSignal = (event: StoredAuditEvent): SignalKind | null => {
  if (event.type === 'target.changed') return event.reason === 'Regressing' ? 'TargetRegressed' : null;
  if (event.type !== 'target.state-changed') return null;
  const { to } = event.data ?? {};
  if (to === 'Failed' || to === 'RollbackFailed') return 'TargetFailed';
  return to === 'Unreachable' ? 'TargetUnreachable' : null;
};

export const signalOfTarget = (event: StoredAuditEvent, here: RolloutHere | undefined): Signal | null => {
  const kind = targetSignal(event);
  return kind === null
    ? null
    : {
        at: event.at,
        kind,
        message: event.message === '' ? event.reason : event.message,
        application: event.application ?? null,
        rollout: here?.rollout.id ?? null,
      };
};

interface Writing {
  readonly at: Instant;
  readonly what: string;
  readonly back: boolean;
  readonly outcome: string;
}

/**
 * What one rollout did to the cluster in the period: one change for each time that it began to write there, with what became of it. A target
 * that was verified without a write is no change.
 */
export const releaseChanges = (events: readonly StoredAuditEvent[], here: RolloutHere): readonly Change[] => {
  const { rollout, target } = here;
  const forward = `${rollout.application} ${shown(target.revision)}`;
  const back = `${rollout.application} to ${shown(target.previous)}`;
  const writings: Writing[] = [];
  const begin = (at: Instant, what: string, goesBack = false): void => {
    writings.push({ at, what, back: goesBack, outcome: '' });
  };
  let touched = target.touched && !events.some(isTouching);
  for (const event of events) {
    const to = event.type === 'target.state-changed' ? event.data?.['to'] : undefined;
    if (isTouching(event)) begin(event.at, `began to write ${forward}`);
    else if (to === 'Applying' && touched) begin(event.at, `took up ${forward} again`);
    else if (to === 'RollingBack') begin(event.at, `began to return ${back}`, true);
    else if (typeof to === 'string' && Object.hasOwn(ENDS, to)) {
      const open = writings.at(-1);
      const word = ENDS[to] ?? to;
      if (open !== undefined)
        writings[writings.length - 1] = { ...open, outcome: `${open.outcome}; ${word} at ${clock(event.at)}` };
      else if (touched && to === 'Succeeded') begin(event.at, `${word} ${forward}; it began before the period`);
      else if (to === 'RolledBack') begin(event.at, `${word} ${back}; it began before the period`, true);
    }
    if (isTouching(event)) touched = true;
    if (to === 'RolledBack') touched = false;
  }
  return writings.map(({ at, what, back: goesBack, outcome }) => ({
    at,
    kind: 'release',
    what: `${what}${outcome}`,
    by: goesBack ? (rollout.rollback?.by ?? 'breakwater') : rollout.createdBy,
    reason: goesBack ? (rollout.rollback?.reason ?? '') : rollout.createdReason,
    object: null,
    application: rollout.application,
    rollout: rollout.id,
    revision: goesBack ? target.previous : target.revision,
  }));
};

const isTouching = ({ reason, type }: StoredAuditEvent): boolean =>
  reason === 'Touching' && (type === 'target.changed' || type === 'target.state-changed');

const ENDS: Readonly<Record<string, string>> = {
  Succeeded: 'verified',
  Failed: 'failed',
  Unreachable: 'cut off',
  RolledBack: 'returned',
  RollbackFailed: 'not returned',
};

const shown = (revision: Revision | null): string => (revision === null ? 'nothing' : revision.commit.slice(0, 12));

const clock = (at: Instant): string => `${new Date(at).toISOString().slice(11, 19)} UTC`;
