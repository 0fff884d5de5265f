import type { WindowClosure } from '../windows/window-state.ts';
import type { Instant, Target } from './rollout.ts';

/** A window that goes on for longer is asked about again after this, in case it was taken out of Git; in ms. */
const ASK_AGAIN = 10 * 60_000;

const describe = (closure: WindowClosure): string => {
  const until = closure.until.kind === 'at' ? ` until ${new Date(closure.until.at).toISOString()}` : '';
  const why = closure.reason === null ? '' : `: ${closure.reason}`;
  switch (closure.kind) {
    case 'FreezeWindow':
      return `freeze window ${closure.name} is in force${until}${why}`;
    case 'MaintenanceWindow':
      return `no maintenance window of the cluster is open${until}`;
    case 'WaveSchedule':
      return `wave ${closure.name} is outside its hours${until}`;
  }
};

export const windowReason = (closure: WindowClosure): 'FreezeWindow' | 'MaintenanceWindow' =>
  closure.kind === 'FreezeWindow' ? 'FreezeWindow' : 'MaintenanceWindow';

/** Nothing is written there for now: a target that has not begun waits; one in flight stands still where the window says so. */
export const heldByWindow = (target: Target, closure: WindowClosure, until: Instant, now: Instant): Target => {
  const held = { reason: windowReason(closure), message: describe(closure), evidence: null };
  const opensAt = Math.min(until, now + ASK_AGAIN);
  const waits = target.state === 'Pending' || target.state === 'Unreachable' || target.state === 'Skipped';
  // Nobody starts it anew when the window opens: its debt is its own to settle.
  if (waits && target.owes === 'forward') return { ...target, ...held, opensAt, dueAt: opensAt };
  if (target.state === 'Pending') return { ...target, ...held, opensAt };
  if (target.state === 'Applying' || target.state === 'Verifying')
    return { ...target, ...held, opensAt, dueAt: opensAt };
  return target;
};
