import type { ObjectKey, RolloutId } from '@breakwater/domain';
import type { StoredAuditEvent } from '../ports/record.port.ts';
import { auditOfOverwrites, editChange, overwrittenChanges, withoutDoubles } from './overwritten-edits.ts';

const edit = {
  object: 'apps/Deployment/web/web' as ObjectKey,
  at: 5_000,
  what: 'set spec.replicas',
  manager: 'kubectl-edit',
};
const stored = (edits: readonly (typeof edit)[]): StoredAuditEvent => ({
  ...auditOfOverwrites({ rollout: 'r1' as RolloutId, cluster: 'eu' }, 'web', edits),
  sequence: 1,
  at: 9_000,
  hash: '',
});

describe('edits that were written over', () => {
  it('are kept in the trail with their own time, and told for the period in which they were made', () => {
    const event = stored([edit, { ...edit, at: 3_000 }]);
    expect(event).toMatchObject({ type: 'target.edits-overwritten', cluster: 'eu', application: 'web' });
    expect(overwrittenChanges(event, 4_000)).toEqual([editChange({ application: 'web', ...edit })]);
    expect(overwrittenChanges({ ...event, type: 'target.changed' }, 0)).toEqual([]);
  });

  it('are bounded in one event', () => {
    const many = Array.from({ length: 1_000 }, (_, at) => ({ ...edit, at }));
    expect(stored(many)).toMatchObject({ message: expect.stringContaining('1000 edits') as string });
    expect(overwrittenChanges(stored(many), 0)).toHaveLength(100);
  });

  it('are told once, by the cluster where it still does', () => {
    const one = editChange({ application: 'web', ...edit });
    const partly = { ...one, what: 'what is left of it' };
    const other = { ...one, at: 6_000 };
    const pause = { ...one, kind: 'command' as const };
    expect(withoutDoubles([one, one, other, pause, pause], [partly])).toEqual([partly, other, pause, pause]);
    expect(withoutDoubles([one, one], [])).toEqual([one]);
  });
});
