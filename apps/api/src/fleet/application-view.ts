import type { RecordPort } from '@breakwater/application';
import type { Application } from '@breakwater/domain';
import type { WireApplication } from '@breakwater/platform';
import { iso } from '../rollouts/rollout.presenter.ts';
import type { FleetCatalog, Origin, Sourced } from './fleet-catalog.ts';
import { specOf } from './fleet.presenter.ts';

interface Known {
  readonly name: string;
  readonly origin: Origin | null;
  readonly document: Application | null;
  readonly blocked: boolean;
}

const NEWEST_ROLLOUTS = 500;

/** Of Git, and those that left Git but that rollouts still speak of. Sorted by name. */
export const knownApplications = async (record: RecordPort, catalog: FleetCatalog): Promise<readonly Known[]> => {
  const known = new Map<string, Known>();
  const { items } = await record.rollouts.list({ limit: NEWEST_ROLLOUTS });
  for (const { application: name } of items) known.set(name, { name, origin: null, document: null, blocked: false });
  for (const sourced of catalog.applications()) known.set(sourced.document.name, inGit(sourced, false));
  for (const { name, repository, commit } of catalog.blockedApplications())
    known.set(name, {
      name,
      origin: { repository, commit },
      document: known.get(name)?.document ?? null,
      blocked: true,
    });
  return [...known.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
};

const inGit = ({ document, repository, commit }: Sourced<Application>, blocked: boolean): Known => ({
  name: document.name,
  origin: { repository, commit },
  document,
  blocked,
});

/** What left Git a while ago is found by its rollouts. */
export const findApplication = async (
  record: RecordPort,
  catalog: FleetCatalog,
  name: string,
): Promise<Known | null> => {
  const blocked = catalog.blockedApplications().find((candidate) => candidate.name === name);
  const sourced = catalog.applications().find(({ document }) => document.name === name);
  if (sourced !== undefined) return inGit(sourced, blocked !== undefined);
  if (blocked !== undefined)
    return { name, origin: { repository: blocked.repository, commit: blocked.commit }, document: null, blocked: true };
  const rollout = await record.rollouts.newestOf(name);
  return rollout === null ? null : { name, origin: null, document: null, blocked: false };
};

export const viewApplication = async (record: RecordPort, known: Known): Promise<WireApplication> => {
  const { name, origin, document } = known;
  const [newest, proven, rollout] = await Promise.all([
    record.sync.newestRelease(name),
    record.cluster.proven(name),
    record.rollouts.newestOf(name),
  ]);
  const left = origin === null ? 'Removed' : 'Active';
  return {
    name,
    repository: origin?.repository ?? null,
    commit: origin?.commit ?? null,
    fleet: document?.fleet ?? rollout?.fleet ?? null,
    strategy: document?.strategy ?? null,
    state: known.blocked ? 'Invalid' : left,
    trigger: document?.trigger ?? null,
    newest:
      newest === null
        ? null
        : {
            revision: { commit: newest.commit, digest: newest.digest },
            state: newest.state,
            createdAt: iso(newest.createdAt),
          },
    proven: proven === null ? null : { commit: proven.commit, digest: proven.digest },
    gitAhead: newest !== null && newest.digest !== proven?.digest,
    rollout:
      rollout === null
        ? null
        : { id: rollout.id, state: rollout.state, paused: rollout.paused !== null, createdAt: iso(rollout.createdAt) },
    spec: document === null ? {} : specOf(document),
  };
};
