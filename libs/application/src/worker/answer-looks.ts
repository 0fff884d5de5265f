import type { ClusterConnector } from '../ports/cluster.port.ts';
import type { ClusterLook, LookAnswer, RecordPort } from '../ports/record.port.ts';
import type { WorkerLog } from './periodic.ts';

export interface LookAnswering {
  readonly record: RecordPort;
  readonly clusters: ClusterConnector;
  readonly log: WorkerLog;
  readonly signal: AbortSignal;
}

export interface Lookout {
  /** Answers questions that wait, as far as there is room; whoever calls is not kept waiting for clusters. */
  look(): Promise<void>;
  /** Those under way. */
  readonly ended: () => Promise<unknown>;
}

const AT_ONCE = 4;
const LEASE = 20_000;
const IDENTIFY_TIMEOUT = 5_000;
const HISTORY_TIMEOUT = 10_000;
/** The `Date` of an API server has whole seconds, and the answer was on its way for a while. */
const CLOCKS_AGREE = 5_000;

/** What people ask about clusters, answered by a worker that holds their keys. */
export const createLookout = (parts: LookAnswering): Lookout => {
  const { record, log, signal } = parts;
  const running = new Set<Promise<void>>();
  const begin = (look: ClusterLook): void => {
    const run = answerLook(parts, look)
      .then((answer) => record.looks.answer(look.id, answer))
      .catch((error: unknown) => {
        if (!signal.aborted) log.error({ cluster: look.cluster, err: error }, 'a look at a cluster failed');
      })
      .finally(() => running.delete(run));
    running.add(run);
  };
  return {
    look: async () => {
      const room = AT_ONCE - running.size;
      if (room <= 0 || signal.aborted) return;
      for (const look of await record.looks.take(room, LEASE)) begin(look);
    },
    ended: () => Promise.all(running),
  };
};

const answerLook = async (parts: LookAnswering, look: ClusterLook): Promise<LookAnswer> => {
  try {
    return await lookAt(parts, look);
  } catch (error) {
    // By name: a time-out of another realm is no instance of ours.
    if (parts.signal.aborted || (error as Error).name !== 'TimeoutError') throw error;
    return { refused: 'the cluster did not answer in time' };
  }
};

const lookAt = async (
  { record, clusters, signal }: LookAnswering,
  { cluster, since }: ClusterLook,
): Promise<LookAnswer> => {
  const connection = await clusters.connect(cluster);
  if ('kind' in connection) return { refused: `${connection.reason}: ${connection.message}` };
  const seen = await connection.identify(AbortSignal.any([signal, AbortSignal.timeout(IDENTIFY_TIMEOUT)]));
  if (seen.kind !== 'Identified') return { refused: `${seen.reason}: ${seen.message}` };
  const bound = await record.cluster.get(cluster);
  if (bound?.uid != null && bound.uid !== seen.uid)
    return { refused: 'ClusterReplaced: behind this name is another cluster now; nothing of it was read' };
  const apart = seen.serverTime === null ? 0 : seen.serverTime - (await record.now());
  const ahead = Math.abs(apart) < CLOCKS_AGREE ? 0 : apart;
  const applications = (await record.cluster.applicationsOn(cluster)).map(({ application }) => application);
  const looked = await connection.history({
    applications,
    since: since + ahead,
    timeout: HISTORY_TIMEOUT,
    signal,
  });
  if (looked.kind !== 'Looked') return { refused: `${looked.reason}: ${looked.message}` };
  const byOurs = <T extends { readonly at: number | null }>(found: T): T =>
    found.at === null ? found : { ...found, at: found.at - ahead };
  const seconds = Math.round(Math.abs(ahead) / 1000);
  return {
    edits: looked.edits.map(byOurs),
    nodes: looked.nodes.map(byOurs),
    notLookedAt: looked.notLookedAt,
    notes:
      ahead === 0
        ? []
        : [`the cluster's clock is ${seconds} s ${ahead > 0 ? 'ahead' : 'behind'}; its times are set right by that`],
  };
};
