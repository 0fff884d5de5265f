import { destinationContext, planWaves, type Rollout, rolloutPolicyOf } from '@breakwater/domain';
import { isDeepStrictEqual } from 'node:util';
import type { RecordPort } from '../ports/record.port.ts';
import { newestFleet } from '../releases/newest-fleet.ts';

/** As the record gives it back: without what is undefined. */
const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
const differ = (left: unknown, right: unknown): boolean => !isDeepStrictEqual(stored(left), stored(right));

/**
 * What Git says otherwise by now about an unfinished rollout's strategy, in words; empty: nothing. The plan is pinned (rule 9): none of it
 * applies to this rollout, and whoever has changed it has to be told so.
 */
export const changedSince = async (
  record: RecordPort,
  { application, fleet: rolloutFleet, plan }: Rollout,
): Promise<readonly string[]> => {
  // The fleet's model is large: it is read only where Git has gone on.
  const repositories = await record.sync.repositories();
  if (repositories.some(({ good }) => good?.commit === plan.snapshot.commit)) return [];
  const fleet = await newestFleet(record);
  // An Application with errors in the newest commit goes where it went.
  const goesTo = fleet.applications.find(({ name }) => name === application)?.fleet ?? rolloutFleet;
  const commit = fleet.repositoryOf.get(application)?.commit;
  if (commit === undefined || commit === plan.snapshot.commit) return [];
  const context = destinationContext(fleet, { fleet: goesTo, strategy: plan.strategy });
  if (context === null) return [told([`strategy ${plan.strategy} is gone`], commit)];
  const { waves } = planWaves(context);
  const now = new Map(waves.map((wave) => [wave.name, wave]));
  const changed: string[] = [];
  if (differ(rolloutPolicyOf(context.strategy), plan.policy)) changed.push(`strategy ${plan.strategy}`);
  if (
    differ(
      [...now.keys()],
      plan.waves.map(({ name }) => name),
    )
  )
    changed.push('its waves');
  for (const wave of plan.waves) {
    const newer = now.get(wave.name);
    if (newer === undefined || wave.size === 0 || newer.size === 0) continue;
    for (const name of new Set([...wave.gates, ...newer.gates].map((gate) => gate.name))) {
      const [before, after] = [wave.gates, newer.gates].map((list) => list.find((gate) => gate.name === name));
      if (differ(before, after)) changed.push(`gate ${name} of wave ${wave.name}`);
    }
    const settings = ({ failureBudget, soakMs, minClusters, schedule }: typeof wave): unknown => [
      failureBudget,
      soakMs,
      minClusters,
      schedule,
    ];
    if (differ(settings(wave), settings(newer))) changed.push(`wave ${wave.name}`);
  }
  if (
    differ(
      plan.healthRules,
      fleet.healthRules.map(({ rule }) => rule),
    )
  )
    changed.push('health rules');
  return changed.length === 0 ? [] : [told(changed, commit)];
};

const told = (changed: readonly string[], commit: string): string =>
  `changed in Git since this rollout was planned, and not applied to it: ${changed.join(', ')} (commit ${commit.slice(0, 12)}); ` +
  'the next rollout takes it';
