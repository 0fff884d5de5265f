import type { Break, Judge, Look } from '../evidence.ts';

const looksAt = (looks: readonly Look[]): ReadonlyMap<string, readonly Look[]> =>
  Map.groupBy(looks, ({ rollout }) => rollout);

/**
 * Rule 7: where only programs failed, a release comes to the end that it would have come to without. Rule 10: whatever else happened, one that
 * is bad, or regresses after its wave has passed, does not succeed.
 */
export const judgeSameEnd: Judge = (evidence) => {
  const rollouts = evidence.rollouts.filter(({ id }) => evidence.started.has(id));
  const broken: Break[] = rollouts.flatMap(({ id, release, state, message, targets }) => {
    const wanted = release.brokenOn.length > 0 ? 'RolledBack' : 'Succeeded';
    const wrong = evidence.programsOnly ? state !== wanted : wanted === 'RolledBack' && state === 'Succeeded';
    if (!wrong) return [];
    const others = targets.filter((target) => target.state !== 'Succeeded');
    return [
      {
        what: `${id} (${release.kind}) ended ${state}; undisturbed it would be ${wanted}`,
        evidence: [message, ...others.map((target) => `${target.cluster} ${target.state} ${target.reason}`)],
      },
    ];
  });
  return { rule: 'the same end, whatever dies (rules 7, 10)', judged: rollouts.length, broken };
};

/** Rule 7: every change of state has its event: the audit trail is without a gap, and each link follows from the one before. */
export const judgeTrail: Judge = ({ trail }) => {
  const broken = trail.flatMap((event, index): readonly Break[] => {
    const before = trail[index - 1];
    if (before !== undefined && event.sequence !== before.sequence + 1) {
      return [{ what: `the audit trail goes from ${before.sequence} to ${event.sequence}`, evidence: [] }];
    }
    if (event.hash === event.expectedHash) return [];
    return [
      {
        what: `event ${event.sequence} of the audit trail does not follow from the one before`,
        evidence: [event.hash],
      },
    ];
  });
  return { rule: 'the audit trail is whole (rule 7)', judged: trail.length, broken };
};

/** Rule 9: revision, waves and their sizes are what they were at the first look. */
export const judgePlans: Judge = ({ looks }) => {
  const broken = [...looksAt(looks)].flatMap(([rollout, list]): readonly Break[] => {
    const plans = new Set(list.map(({ plan }) => plan));
    return plans.size === 1 ? [] : [{ what: `the plan of ${rollout} changed`, evidence: [...plans] }];
  });
  return { rule: 'the plan is pinned (rule 9)', judged: looks.length, broken };
};

/** So long a rollout may be between two things that it waits for. */
const UNEXPLAINED_MS = 5_000;

const wrongLook = (list: readonly Look[], index: number): string | null => {
  const look = list[index];
  if (look === undefined) return null;
  if (look.next === '') return 'explain does not say what happens next';
  if (look.paused === 'freeze' && !['Paused', 'EmergencyStop'].includes(look.reasons[0] ?? '')) {
    return 'it is frozen, and explain does not say so';
  }
  if (look.reasons.length > 0) return null;
  const still = list.findIndex((earlier) => earlier.progress === look.progress && earlier.reasons.length === 0);
  const since = list
    .slice(still, index + 1)
    .every(({ progress, reasons }) => progress === look.progress && reasons.length === 0);
  const waited = since ? look.at - (list[still]?.at ?? look.at) : 0;
  return waited > UNEXPLAINED_MS ? `nothing moved for ${Math.round(waited)} ms, and explain names no reason` : null;
};

/** Rule 11: an unfinished rollout that does not move names what it waits for, and always what comes next. */
export const judgeWaits: Judge = ({ looks }) => {
  const broken = [...looksAt(looks)].flatMap(([rollout, list]) =>
    list.flatMap((look, index): readonly Break[] => {
      const wrong = wrongLook(list, index);
      return wrong === null ? [] : [{ what: `${rollout}: ${wrong}`, evidence: [`${look.state}: ${look.progress}`] }];
    }),
  );
  return { rule: 'every wait has a reason (rule 11)', judged: looks.length, broken };
};
