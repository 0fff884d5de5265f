import type { ClusterConnection, ClusterConnector } from '../ports/cluster.port.ts';
import type { Looked } from '../ports/cluster-history.port.ts';
import type { ClusterLook, LookAnswer, RecordPort } from '../ports/record.port.ts';
import { createLookout } from './answer-looks.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const look: ClusterLook = { id: 'l1', cluster: 'eu', since: NOW - 60_000 };
const looked: Looked = {
  kind: 'Looked',
  edits: [{ application: 'web', object: 'ConfigMap/web/a' as never, at: NOW, what: 'set data.a', manager: 'kubectl' }],
  nodes: [{ node: 'n1', at: null, what: 'the node is cordoned', by: '' }],
  notLookedAt: [],
};

interface Scene {
  readonly connection?: Partial<ClusterConnection> | Awaited<ReturnType<ClusterConnector['connect']>>;
  readonly uid?: string | null;
  readonly serverTime?: number | null;
  readonly looks?: readonly ClusterLook[];
}

const answered = async ({ connection, uid = 'u1', serverTime = NOW, looks = [look] }: Scene) => {
  const answers = new Map<string, LookAnswer>();
  const asked: unknown[] = [];
  const failures: string[] = [];
  const taken: number[] = [];
  let open = [...looks];
  const record = {
    now: async () => NOW,
    cluster: {
      get: async () => ({ uid }),
      applicationsOn: async () => [{ application: 'web' }, { application: 'db' }],
    },
    looks: {
      take: async (limit: number) => {
        const some = open.slice(0, limit);
        open = open.slice(limit);
        taken.push(some.length);
        return some;
      },
      answer: async (id: string, answer: LookAnswer) => void answers.set(id, answer),
    },
  } as unknown as RecordPort;
  const there: Partial<ClusterConnection> = {
    identify: async () => ({ kind: 'Identified', uid: 'u1', version: 'v1', serverTime }),
    history: async ({ signal: _signal, ...request }) => {
      asked.push(request);
      return looked;
    },
  };
  const found = connection !== undefined && 'kind' in connection ? connection : { ...there, ...connection };
  const clusters = { connect: async () => found } as unknown as ClusterConnector;
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (_: object, message: string) => void failures.push(message),
  };
  const lookout = createLookout({ record, clusters, log, signal: new AbortController().signal });
  await lookout.look();
  await lookout.look();
  await lookout.ended();
  return { answer: answers.get('l1'), answers, asked, failures, taken };
};

describe('a look at a cluster', () => {
  it('asks the cluster for the applications that the record has there, and hands on what it found', async () => {
    const { answer, asked } = await answered({});
    expect(asked).toEqual([{ applications: ['web', 'db'], since: NOW - 60_000, timeout: 10_000 }]);
    const { kind: _kind, ...found } = looked;
    expect(answer).toEqual({ ...found, notes: [] });
  });

  it('says why it could not look', async () => {
    const refusal = {
      kind: 'Refused',
      reason: 'CredentialsRefused',
      message: 'none',
      object: null,
      partial: false,
    } as const;
    expect((await answered({ connection: refusal })).answer).toEqual({ refused: 'CredentialsRefused: none' });
    const away = {
      kind: 'Unreachable',
      reason: 'Timeout',
      message: 'silent',
      retryAfterMs: null,
      partial: false,
    } as const;
    expect((await answered({ connection: { identify: async () => away } })).answer).toEqual({
      refused: 'Timeout: silent',
    });
    const late = async () => Promise.reject(new DOMException('late', 'TimeoutError'));
    expect((await answered({ connection: { identify: late } })).answer).toEqual({
      refused: 'the cluster did not answer in time',
    });
  });

  it('reads nothing of another cluster behind the same name', async () => {
    const { answer, asked } = await answered({ uid: 'u0' });
    expect(answer).toEqual({ refused: expect.stringContaining('ClusterReplaced') as string });
    expect(asked).toEqual([]);
    expect((await answered({ uid: null })).answer).toMatchObject({ edits: [{}] });
  });

  it('sets the times of a cluster right whose clock is wrong, and says so', async () => {
    const ahead = await answered({ serverTime: NOW + 37_000 });
    expect(ahead.asked).toMatchObject([{ since: NOW - 60_000 + 37_000 }]);
    expect(ahead.answer).toMatchObject({
      edits: [{ at: NOW - 37_000 }],
      nodes: [{ at: null }],
      notes: ["the cluster's clock is 37 s ahead; its times are set right by that"],
    });
    expect((await answered({ serverTime: NOW - 4_000 })).answer).toMatchObject({ edits: [{ at: NOW }], notes: [] });
  });

  it('looks at a few clusters at once, and leaves what went wrong inside to the log', async () => {
    const looks = Array.from({ length: 6 }, (_, index) => ({ ...look, id: `l${index}` }));
    expect((await answered({ looks })).taken).toEqual([4]);
    const broken = await answered({ connection: { history: () => Promise.reject(new Error('a bug')) } });
    expect(broken).toMatchObject({ answer: undefined, failures: ['a look at a cluster failed'] });
  });
});
