import type { Rollout, Target } from '@breakwater/domain';
import type { AuditEvent } from '../ports/record.port.ts';

/** What changed about a rollout and its waves, as audit events of the same transaction. */
export const auditOfRollout = (before: Rollout, after: Rollout): readonly AuditEvent[] => {
  const common = { actor: 'breakwater', rollout: after.id, application: after.application } as const;
  const events: AuditEvent[] = [];
  // A halt that is answered by a rollback at once is one transaction, and still two changes of state.
  const halted = before.state === 'Progressing' && after.state === 'RollingBack' && after.rollback?.automatic === true;
  if (halted) {
    events.push({
      ...common,
      type: 'rollout.state-changed',
      reason: after.reason,
      message: after.rollback?.reason ?? after.message,
      data: { from: before.state, to: 'Halted' },
    });
  }
  if (before.state !== after.state) {
    events.push({
      ...common,
      type: 'rollout.state-changed',
      reason: after.reason,
      message: after.message,
      data: { from: halted ? 'Halted' : before.state, to: after.state },
    });
  }
  events.push(...saidByPeople(before, after));
  for (const wave of after.waves) {
    const was = before.waves[wave.index];
    if (was === undefined || was.state === wave.state) continue;
    events.push({
      ...common,
      type: 'wave.state-changed',
      reason: wave.state,
      message: `wave ${wave.name} is ${wave.state}`,
      data: { wave: wave.name, from: was.state, to: wave.state },
    });
  }
  return events;
};

/** Approvals and overrides of gates and windows, by the person's name: an override is never a line among others. */
const saidByPeople = (before: Rollout, after: Rollout): readonly AuditEvent[] => {
  const common = { rollout: after.id, application: after.application } as const;
  const overrides = after.gateOverrides
    .slice(before.gateOverrides.length)
    .map(({ wave, gate, cluster, by, reason }): AuditEvent => ({
      ...common,
      type: 'gate.overridden',
      actor: by,
      reason,
      message: `${by} let gate ${gate} of wave ${wave} pass${cluster === null ? '' : ` on ${cluster}`}: ${reason}`,
      ...(cluster === null ? {} : { cluster }),
      data: { wave, gate },
    }));
  const windows = after.windowOverrides
    .slice(before.windowOverrides.length)
    .map(({ window, by, reason }): AuditEvent => ({
      ...common,
      type: 'window.overridden',
      actor: by,
      reason,
      message: `${by} set ${window} aside for this rollout: ${reason}`,
      data: { window },
    }));
  const approvals = after.waves.flatMap((wave) =>
    wave.approvals
      .filter((approval) => !(before.waves[wave.index]?.approvals ?? []).includes(approval))
      .map(({ by, reason }): AuditEvent => ({
        ...common,
        type: 'wave.approved',
        actor: by,
        reason,
        message: `${by} approved wave ${wave.name}`,
        data: { wave: wave.name },
      })),
  );
  return [...overrides, ...windows, ...approvals];
};

export const auditOfTarget = (rollout: Rollout, before: Target, after: Target): AuditEvent | null => {
  const started = !before.touched && after.touched;
  const degrades = before.degraded !== after.degraded;
  if (before.state === after.state && !started && !degrades && before.attempt === after.attempt) return null;
  return {
    type: before.state === after.state ? 'target.changed' : 'target.state-changed',
    actor: 'breakwater',
    reason: started ? 'Touching' : after.reason,
    message: after.message,
    rollout: rollout.id,
    application: rollout.application,
    cluster: after.cluster,
    data: {
      from: before.state,
      to: after.state,
      wave: rollout.plan.waves[after.wave]?.name ?? String(after.wave),
      attempt: after.attempt,
      ...(after.evidence === null ? {} : { object: after.evidence.object, evidence: after.evidence.text }),
    },
  };
};
