import type { GateRun, PlannedGate, Rollout, Target } from '@breakwater/domain';
import type { StoredAuditEvent } from '../../ports/record.port.ts';
import { reportOf } from './report-model.ts';

const planned = (name: string, phase: PlannedGate['phase']) => ({ name, phase, kind: 'http' }) as PlannedGate;
const run = (gate: string, state: GateRun['state']) => ({ gate, state }) as GateRun;

const rollout = (changes: Partial<Rollout> = {}): Rollout =>
  ({
    state: 'RolledBack',
    message: 'restored',
    startedAt: 1_000,
    finishedAt: 9_000,
    rollback: { startedAt: 5_000 },
    plan: { waves: [{ name: 'w0', gates: [planned('before', 'before'), planned('smoke', 'during')] }] },
    waves: [{ index: 0, name: 'w0', gates: [run('before', 'Passed')] }],
    ...changes,
  }) as unknown as Rollout;
const target = (cluster: string, changes: Partial<Target> = {}): Target =>
  ({ cluster, wave: 0, state: 'RolledBack', touched: true, gates: [], ...changes }) as unknown as Target;
const halted = { type: 'rollout.state-changed', at: 4_000, data: { to: 'Halted' } } as unknown as StoredAuditEvent;
const report = (of: Rollout, targets: readonly Target[] = [], events: readonly StoredAuditEvent[] = [], cut = false) =>
  reportOf({ rollout: of, targets, events, cut });

describe('the figures of a report', () => {
  it('are the clusters touched, the time to the halt, and from there to the restoration', () => {
    const targets = [target('a'), target('b', { touched: false })];
    const figures = { touched: 1, msToHalt: 3_000, msToRestore: 5_000 };
    expect(report(rollout(), targets, [halted])).toMatchObject({ figures, durationMs: 8_000 });
  });

  it('begin with the order where nothing had halted, and say nothing of what was not restored or not stopped', () => {
    expect(report(rollout()).figures).toEqual({ touched: 0, msToHalt: 4_000, msToRestore: 4_000 });
    expect(report(rollout({ state: 'RollbackFailed' })).figures.msToRestore).toBeNull();
    const fine = rollout({ state: 'Succeeded', rollback: null });
    expect(report(fine).figures).toEqual({ touched: 0, msToHalt: null, msToRestore: null });
  });
});

describe('what a report names', () => {
  it('is each gate of a wave, and those on clusters that have not just passed', () => {
    const passed = target('a', { gates: [run('smoke', 'Passed')] });
    const failed = target('b', { gates: [run('smoke', 'Failed')] });
    const named = report(rollout(), [passed, failed]).gates.map(({ gate, cluster, run: { state } }) => [
      gate.name,
      cluster,
      state,
    ]);
    expect(named).toEqual([
      ['before', null, 'Passed'],
      ['smoke', 'b', 'Failed'],
    ]);
  });

  it('is five clusters in the headline, all below it, and what was left out', () => {
    const targets = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => target(name));
    const made = report(rollout(), [...targets, target('fine', { state: 'Succeeded' })], [halted], true);
    expect(made.headline).toBe('RolledBack: restored; not at the revision: a, b, c, d, e and 2 more');
    expect(made.notAtRevision).toHaveLength(7);
    expect(made.notes).toEqual(['the first 1 events; the rest is in the audit trail']);
  });
});
