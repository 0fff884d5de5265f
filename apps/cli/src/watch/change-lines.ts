import type { WireBlocker } from '@breakwater/platform';
import { blockerLine, stateOf } from '../output/rollout-text.ts';
import { printable } from '../output/style.ts';
import { clockTime } from '../output/time.ts';
import type { Seen } from './rollout-changes.ts';

const keyOf = ({ reason, wave, cluster, gate }: WireBlocker): string => [reason, wave, cluster, gate].join('/');

/** One line for each thing that changed between two looks; everything at the first. */
export const changeLines = (before: Seen | null, after: Seen, now: number): string[] => {
  const lines: string[] = [];
  const { rollout, targets } = after;
  const state = stateOf(rollout);
  if (before === null || stateOf(before.rollout) !== state || before.rollout.reason !== rollout.reason)
    lines.push(`rollout ${rollout.id}: ${state} (${rollout.reason}) ${rollout.message}`);
  for (const wave of rollout.waves) {
    const known = before?.rollout.waves.find(({ name }) => name === wave.name);
    if (known?.state === wave.state || (before === null && wave.state === 'Pending')) continue;
    lines.push(`wave ${wave.name}: ${wave.state}, ${wave.counts.succeeded} of ${wave.counts.total} verified`);
  }
  const known = new Map(before?.targets.map((target) => [target.cluster, target]));
  for (const target of targets) {
    if (known.get(target.cluster)?.state === target.state || (before === null && target.state === 'Pending')) continue;
    lines.push(`cluster ${target.cluster}: ${target.state}${target.message === '' ? '' : `, ${target.message}`}`);
  }
  const waited = new Set(before?.rollout.waiting.map(keyOf));
  for (const blocker of rollout.waiting)
    if (!waited.has(keyOf(blocker))) lines.push(`waiting: ${blockerLine(blocker, now)}`);
  return lines.map((line) => `${clockTime(now)} ${printable(line).trimEnd()}\n`);
};
