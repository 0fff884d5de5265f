import type { ApplyPolicy, Rollout, Target } from '@breakwater/domain';
import type { RecordPort, ReleaseRecord } from '../ports/record.port.ts';
import { presentPolicy } from './revision-policy.ts';

const policy = (namespace: string): ApplyPolicy => ({
  namespace,
  conflicts: 'report',
  adopt: 'refuse',
  ignore: [],
  prune: { enabled: true, maxDeletions: 10, protect: [] },
});

interface Given {
  readonly former: string | null;
  readonly spec: ApplyPolicy | null;
  readonly approved: boolean;
}

const policyIn = (
  state: Target['state'],
  { former = 'v1', spec = policy('former'), approved = false }: Partial<Given> = {},
): Promise<ApplyPolicy> => {
  const release = (_application: string, commit: string) =>
    Promise.resolve(
      (commit === 'v1' ? { spec: spec === null ? null : { apply: spec } } : null) as ReleaseRecord | null,
    );
  return presentPolicy(
    { record: { sync: { release } as unknown as RecordPort['sync'] } },
    {
      rollout: { application: 'web', plan: { apply: policy('planned') }, deletionsApproved: approved } as Rollout,
      target: { state, previous: former === null ? null : { commit: former, digest: 'd' } } as Target,
    },
  );
};

describe('how a revision is applied', () => {
  it('is what the plan has pinned on the way forward', async () => {
    expect(await policyIn('Applying')).toEqual(policy('planned'));
    expect(await policyIn('Verifying')).toEqual(policy('planned'));
  });

  it('is what the former release said on the way back', async () => {
    expect(await policyIn('RollingBack')).toEqual(policy('former'));
  });

  it.each([
    ['there was no former one', { former: null }],
    ['the former one is not in the record', { former: 'v0' }],
    ['the former one says nothing', { spec: null }],
  ])('is the plan’s where %s', async (_, given) => {
    expect(await policyIn('RollingBack', given)).toEqual(policy('planned'));
  });

  it('has no limit where deletions were approved', async () => {
    const { prune } = await policyIn('RollingBack', { approved: true });
    expect(prune).toEqual({ enabled: true, maxDeletions: Number.MAX_SAFE_INTEGER, protect: [] });
  });
});
