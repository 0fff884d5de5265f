import type { KubeObject, ObjectKey, Revision, Rollout, Target } from '@breakwater/domain';
import type { ClusterConnection, DryRunOutcome, DryRunRequest } from '../ports/cluster.port.ts';
import type { RecordPort } from '../ports/record.port.ts';
import { tryReturn } from './return-trial.ts';

const map = (name: string, value: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'web' },
  data: { value },
});
const BUNDLES: Readonly<Record<string, readonly KubeObject[]>> = {
  one: [map('same', '1'), map('changed', '1'), map('gone', '1')],
  two: [map('same', '1'), map('changed', '2'), map('new', '1')],
};
const revision = (digest: string): Revision => ({ commit: 'c', digest });

const ask = async (answer: DryRunOutcome, target: Partial<Target> = {}, state: Rollout['state'] = 'Progressing') => {
  const asked: DryRunRequest[] = [];
  const connection: Pick<ClusterConnection, 'dryRun'> = {
    dryRun: (request) => {
      asked.push(request);
      return Promise.resolve(answer);
    },
  };
  const scene = {
    rollout: { state, application: 'web', plan: { apply: { namespace: 'next' } } } as Rollout,
    target: { state: 'Applying', previous: revision('one'), revision: revision('two'), ...target } as Target,
  };
  const bundles = { load: (digest: string) => Promise.resolve(BUNDLES[digest] ?? []), put: () => Promise.resolve() };
  const release = (_application: string, commit: string) =>
    Promise.resolve({ spec: { apply: { namespace: `of ${commit}` } } });
  const record = { sync: { release } as unknown as RecordPort['sync'] };
  const found = await tryReturn({ bundles, record }, { signal: AbortSignal.timeout(5_000) }, scene, connection);
  return { found, asked };
};

const tried = (...refused: Extract<DryRunOutcome, { readonly kind: 'Tried' }>['refused']): DryRunOutcome => ({
  kind: 'Tried',
  refused,
  notDryRun: [],
});

describe('trying the way back', () => {
  it('asks about what differs only, as a rollback would write it', async () => {
    const { asked, found } = await ask(tried());
    expect(asked).toMatchObject([{ only: ['ConfigMap/web/changed', 'ConfigMap/web/gone'], mode: 'rollback' }]);
    expect(asked[0]?.policy).toEqual({ namespace: 'of c' });
    expect(asked[0]?.objects).toEqual(BUNDLES['one']);
    expect(found).toEqual({ kind: 'Tried', irreversible: [] });
  });

  it('names every object that is refused for good, and none that may go through later', async () => {
    const refusal = (name: string, reason: 'RollbackImpossible' | 'KindNotServed' | 'QuotaExceeded') => ({
      object: `ConfigMap/web/${name}` as ObjectKey,
      reason,
      message: 'x'.repeat(1_000),
    });
    const { found } = await ask(
      tried(refusal('a', 'RollbackImpossible'), refusal('b', 'QuotaExceeded'), refusal('c', 'KindNotServed')),
    );
    expect(found).toEqual({
      kind: 'Tried',
      irreversible: [
        { object: 'ConfigMap/web/a', why: 'x'.repeat(300) },
        { object: 'ConfigMap/web/c', why: 'x'.repeat(300) },
      ],
    });
  });

  it('takes no answer for no yes', async () => {
    const cut = { kind: 'Unreachable', reason: 'Timeout', message: '', retryAfterMs: null, partial: false } as const;
    expect((await ask(cut)).found).toBe(cut);
  });

  it.each<[string, Partial<Target>, Rollout['state']]>([
    ['a first release', { previous: null }, 'Progressing'],
    ['a return', { state: 'RollingBack' }, 'RollingBack'],
    ['the same revision', { previous: revision('two') }, 'Progressing'],
    ['a debt', {}, 'Incomplete'],
  ])('asks nothing of %s', async (_, target, state) => {
    expect((await ask(tried(), target, state)).asked).toEqual([]);
  });
});
