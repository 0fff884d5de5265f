import type { Instant, Rollout, RolloutTime } from './rollout.ts';

/** The rollout's own time at `now`; it stands still while the rollout is frozen. */
export const rolloutTime = (rollout: Pick<Rollout, 'clock'>, now: Instant): RolloutTime =>
  rollout.clock.ran + (rollout.clock.since === null ? 0 : Math.max(0, now - rollout.clock.since));

/** When the rollout's own time will be `time`; null while it stands still. */
export const instantAt = (rollout: Pick<Rollout, 'clock'>, time: RolloutTime): Instant | null =>
  rollout.clock.since === null ? null : rollout.clock.since + (time - rollout.clock.ran);

export const stopClock = (rollout: Rollout, now: Instant): Rollout['clock'] => ({
  ran: rolloutTime(rollout, now),
  since: null,
});

export const startClock = (rollout: Rollout, now: Instant): Rollout['clock'] =>
  rollout.clock.since === null ? { ran: rollout.clock.ran, since: now } : rollout.clock;
