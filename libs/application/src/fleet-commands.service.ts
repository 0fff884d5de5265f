import { changesOnCluster } from './changes/changes-on-cluster.ts';
import type { ClusterRecord, RecordPort, RepositoryRecord } from './ports/record.port.ts';
import type { WakeUps } from './ports/wake-ups.port.ts';
import { newestFleet } from './releases/newest-fleet.ts';
import { ask } from './releases/find-release.ts';
import { leaveOutOfRollouts } from './rollout/quarantine.ts';
import { type FleetCommands, UseCaseError } from './use-cases.ts';

/** Without wake-ups, workers find what has changed by its due time. */
export interface FleetCommandsParts {
  readonly record: RecordPort;
  readonly wakeUps?: WakeUps;
}

export const createFleetCommands = ({ record, wakeUps }: FleetCommandsParts): FleetCommands => {
  const repository = async (name: string): Promise<RepositoryRecord> => {
    const found = await record.sync.repository(name);
    if (found !== null) return found;
    throw new UseCaseError('NotFound', 'RepositoryNotFound', `there is no repository ${name}`);
  };
  const askedFor = (
    type: string,
    name: string,
    { by, reason }: { readonly by: string; readonly reason: string },
    commit: string | null,
  ) =>
    record.audit.append([
      {
        type,
        actor: by,
        reason,
        message: `${by} asked for it`,
        repository: name,
        data: { commit },
      },
    ]);

  const cluster = async (name: string): Promise<ClusterRecord | null> => {
    const known = await record.cluster.get(name);
    const inGit = known !== null || (await newestFleet(record)).clusters.some((each) => each.name === name);
    if (!inGit) throw new UseCaseError('NotFound', 'ClusterNotFound', `there is no cluster ${name}`);
    return known;
  };

  return {
    syncRepository: async (name, { reason = '' }, actor) => {
      await repository(name);
      await askedFor('repository.sync', name, { by: actor.name, reason }, null);
      await ask(record, { repository: name, kind: 'sync', application: null, revision: null });
      return repository(name);
    },
    approveRepository: async (name, { reason = '' }, actor) => {
      const { state, observed } = await repository(name);
      if (state !== 'Held' || observed === null) {
        throw new UseCaseError('Conflict', 'StateForbids', `the repository is ${state}, no commit is held`, { state });
      }
      await askedFor('repository.approve', name, { by: actor.name, reason }, observed.commit);
      const question = { repository: name, kind: 'approve', application: null, revision: observed.commit } as const;
      const answer = await ask(record, question);
      if (!answer.ok) {
        const category = answer.code === 'CommitMoved' ? 'Conflict' : 'Unavailable';
        throw new UseCaseError(category, answer.code, answer.message, { errors: answer.errors });
      }
      return repository(name);
    },
    acceptCluster: async (name, { reason }, actor) => {
      const accepted = await record.cluster.accept(name, actor.name, reason);
      if (accepted !== null) return accepted;
      const known = await record.cluster.get(name);
      if (known === null) throw new UseCaseError('NotFound', 'ClusterNotFound', `there is no cluster ${name}`);
      throw new UseCaseError(
        'Conflict',
        'StateForbids',
        `the cluster is ${known.state}; only one that was replaced is accepted`,
        { state: known.state },
      );
    },
    quarantineCluster: async (name, { reason }, actor) => {
      await cluster(name);
      if (reason.trim() === '')
        throw new UseCaseError('Invalid', 'ReasonNeeded', 'say why: a quarantine keeps every rollout off the cluster');
      const held = await record.cluster.setQuarantine(name, true, { by: actor.name, reason });
      await leaveOutOfRollouts(record, name, wakeUps);
      return held;
    },
    releaseCluster: async (name, { reason = '' }, actor) => {
      if ((await cluster(name))?.quarantine == null)
        throw new UseCaseError('Conflict', 'StateForbids', `cluster ${name} is not quarantined`);
      return record.cluster.setQuarantine(name, false, { by: actor.name, reason });
    },
    changesOn: async (name, input) => {
      await cluster(name);
      return changesOnCluster(record, name, input);
    },
  };
};
