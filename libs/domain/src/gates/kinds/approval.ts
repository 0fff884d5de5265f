import { z } from 'zod';
import { duration, fields } from '../../documents/schema/fields.ts';
import type { Approval } from '../../rollout/rollout.ts';
import type { GateKind } from '../gate-kind.ts';

const spec = () =>
  fields({
    required: z.int().min(1).max(20).default(1).describe('How many different people have to approve.'),
    expires: duration().optional().describe('An approval counts for so long; without it, for good.'),
    fourEyes: z.boolean().default(true).describe('Whoever started the rollout cannot approve it.'),
  });

type Spec = z.output<ReturnType<typeof spec>>;

/** Approvals that count: one of each person, none that has expired, and with four eyes none of the starter. */
export const standing = (
  required: Pick<Spec, 'expires' | 'fourEyes'>,
  approvals: readonly Approval[],
  starter: string,
  now: number,
): readonly Approval[] => {
  const people = new Map<string, Approval>();
  for (const approval of approvals) {
    if (required.expires !== undefined && now - approval.at >= required.expires) continue;
    if (required.fourEyes && approval.by === starter) continue;
    people.set(approval.by, approval);
  }
  return [...people.values()];
};

/** Somebody says yes, by name. */
export const approvalGate: GateKind = {
  kind: 'approval',
  description: 'People let the wave start.',
  schema: spec,
  phases: ['before'],
  defaults: { count: 1, interval: 0, failureLimit: 0, onInconclusive: 'wait', timeout: null },
  judge: (json, { rollout, wave, now }) => {
    const required = json as unknown as Spec;
    const valid = standing(required, wave.approvals, rollout.createdBy, now);
    const names = valid.length === 0 ? '' : ` (${valid.map((approval) => approval.by).join(', ')})`;
    const evidence = `${valid.length} of ${required.required} approvals${names}`;
    return valid.length >= required.required
      ? { verdict: 'Success', evidence }
      : { verdict: 'Pending', evidence, retryAfter: 60_000 };
  },
};
