import type { Rollout, WaveCounts } from './rollout.ts';
import { totalCounts } from './wave-counts.ts';

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `wave low-risk: 2 of 4 clusters verified, 1 failed`. */
export const describeProgress = (rollout: Rollout): string => {
  const wave = rollout.waves.find((candidate) => candidate.state !== 'Succeeded') ?? rollout.waves.at(-1);
  if (wave === undefined) return '';
  const size = rollout.plan.waves[wave.index]?.size ?? 0;
  const parts = [`${wave.counts.succeeded} of ${plural(size, 'cluster')} verified`, ...troubles(wave.counts)];
  return `wave ${wave.name}: ${parts.join(', ')}`;
};

/** Rule 5: what is not at the revision is counted in the headline; and what a person has let pass is said before anything else. */
export const describeEnd = (rollout: Rollout): string => [...overrides(rollout), outcomeOf(rollout)].join('; ');

const overrides = (rollout: Rollout): readonly string[] => [
  ...rollout.gateOverrides.map(
    ({ wave, gate, cluster, by }) =>
      `gate ${gate} of wave ${wave}${cluster === null ? '' : ` on ${cluster}`} was overridden by ${by}`,
  ),
  ...rollout.windowOverrides.map(({ window, by }) => `${window} was overridden by ${by}`),
];

const outcomeOf = (rollout: Rollout): string => {
  const total = totalCounts(rollout);
  const size = rollout.plan.waves.reduce((sum, wave) => sum + wave.size, 0);
  switch (rollout.state) {
    case 'Succeeded':
      return `all of ${plural(size, 'cluster')} verified`;
    case 'RolledBack':
      return rest(`${plural(total.rolledBack, 'cluster')} restored and verified`, total, rollout);
    case 'RollbackFailed':
      return rest(
        `${total.rollbackFailed} of ${plural(total.rolledBack + total.rollbackFailed, 'cluster')} could not be restored`,
        total,
        rollout,
      );
    default:
      return [`${total.succeeded} of ${plural(size, 'cluster')} verified`, ...troubles(total)].join(', ');
  }
};

const rest = (head: string, total: WaveCounts, rollout: Rollout): string => {
  const cause = rollout.rollback === null ? '' : `${rollout.rollback.reason}; `;
  const stays = total.toReturn > 0 ? `, ${total.toReturn} left on the new revision` : '';
  const jobs =
    total.rolledBackButJobs > 0 ? `, on ${total.rolledBackButJobs} of them without Jobs, which are not run again` : '';
  return `${cause}${head}${jobs}${stays}`;
};

const troubles = (counts: WaveCounts): string[] => {
  const named: [number, string][] = [
    [counts.everFailed, 'failed'],
    [counts.unreachable, 'unreachable'],
    [counts.skipped, 'skipped'],
    [counts.degraded, 'not healthy any more'],
    [counts.rollingBack, 'being returned'],
    [counts.rolledBack, 'returned'],
    [counts.rollbackFailed, 'could not be returned'],
    [counts.pending, 'not started'],
  ];
  return named.flatMap(([count, text]) => (count > 0 ? [`${count} ${text}`] : []));
};
