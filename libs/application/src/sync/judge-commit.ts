import { clustersOf, diffSnapshots, type FleetSnapshot } from '@breakwater/domain';
import { randomUUID } from 'node:crypto';
import type { AuditEvent, RecordPort, SnapshotRecord } from '../ports/record.port.ts';
import type { FleetReader } from '../ports/fleet-reader.port.ts';
import type { Renderer } from '../ports/renderer.port.ts';
import type { RepositoryMirror } from '../ports/repository.port.ts';
import type { BundleStore } from '../releases/bundle-store.ts';
import type { WorkerLog } from '../worker/periodic.ts';
import { aborted, type CommitDocuments, readCommit } from './read-commit.ts';
import { clusterVersions, renderApplication, type RenderedApplication } from './render-application.ts';
import { saveRelease } from './save-release.ts';
import { sharedObjects } from './shared-objects.ts';
import { blocking, listErrors, type SyncError } from './sync-error.ts';

export interface JudgeParts {
  readonly record: RecordPort;
  readonly renderer: Renderer;
  readonly fleetReader: FleetReader;
  readonly bundles: BundleStore;
  readonly log: WorkerLog;
}

export interface Judgement {
  readonly commit: string;
  readonly state: 'Synced' | 'Invalid' | 'Held';
  readonly message: string;
  readonly errors: readonly SyncError[];
  /** The commit's snapshot is in force. */
  readonly inForce: boolean;
  /** False: an error may mend by itself, such as a chart repository that does not answer; look again. */
  readonly settled: boolean;
  /** Applications that ask to be started by a commit, and that this one changed. */
  readonly triggered: readonly string[];
}

interface JudgeTask {
  readonly mirror: RepositoryMirror;
  readonly repository: string;
  readonly commit: string;
  /** A person has seen that much goes away, and agreed to this commit. */
  readonly approved: boolean;
  readonly signal: AbortSignal;
}

/** Reads a commit, renders it, and puts it in force if it may be; else the last good one stays in force for everyone. */
export const judgeCommit = async (parts: JudgeParts, task: JudgeTask): Promise<Judgement> => {
  const read = await readCommit(parts.fleetReader, task.mirror, task.commit, task.signal);
  const { snapshot } = read;
  if (snapshot === null) return refused(task, read);
  const inForce = await parts.record.sync.snapshot(task.repository);
  const before = (inForce?.model ?? null) as FleetSnapshot | null;
  const diff = diffSnapshots(before, snapshot);
  if (diff.held && !task.approved) {
    const message = `${diff.heldBecause.join('; ')}: waits for \`repository approve\`, nothing in force changes`;
    return { ...verdict(task, 'Held', message, read.errors), inForce: false };
  }
  const rendered = await renderAll(parts, task, read, snapshot);
  // A renderer that was stopped says so as an error: that is not the commit's.
  if (task.signal.aborted) throw aborted();
  const errors = listErrors([...read.errors, ...rendered.flatMap((one) => one.errors), ...sharedObjects(rendered)]);
  await task.mirror.keep(task.commit);
  const triggered = await saveReleases(parts.record, task, rendered, errors);
  // The list of errors is cut off somewhere, that of the applications is not: one that was missing would look removed.
  const blockedApplications = [...new Set([...snapshot.blockedApplications, ...blockedOf(errors)])].sort();
  await putInForce(parts.record, task, { ...snapshot, blockedApplications }, inForce);
  return {
    ...verdict(task, errors.length === 0 ? 'Synced' : 'Invalid', describe(snapshot, errors), errors),
    inForce: true,
    triggered,
  };
};

const verdict = (
  task: JudgeTask,
  state: Judgement['state'],
  message: string,
  errors: readonly SyncError[],
): Omit<Judgement, 'inForce'> => ({
  commit: task.commit,
  state,
  message,
  errors: listErrors(errors),
  settled: !errors.some(({ reason }) => PASSING.has(reason)),
  triggered: [],
});

/** Of the renderer: what is wrong with the machine or the network says nothing about the commit. */
const PASSING: ReadonlySet<string> = new Set(['ChartUnavailable', 'TimedOut', 'OutOfMemory', 'ToolMissing', 'Aborted']);

const refused = (task: JudgeTask, read: CommitDocuments): Judgement => {
  const count = read.errors.length;
  const message = `${count === 1 ? 'an error keeps' : `${count} errors keep`} the commit from being used; the last good one stays in force`;
  return { ...verdict(task, 'Invalid', message, read.errors), inForce: false };
};

const describe = (snapshot: FleetSnapshot, errors: readonly SyncError[]): string => {
  const blocked = blockedOf(errors);
  if (blocked.length > 0) return `in force, but blocked by errors: ${blocked.join(', ')}`;
  const { clusters, fleets, applications } = snapshot;
  if (clusters.length + fleets.length + applications.length === 0) return 'no fleet documents were found';
  const count = (many: number, word: string): string => `${many} ${word}${many === 1 ? '' : 's'}`;
  return `${count(clusters.length, 'cluster')}, ${count(fleets.length, 'fleet')}, ${count(applications.length, 'application')}`;
};

const blockedOf = (errors: readonly SyncError[]): readonly string[] =>
  [
    ...new Set(errors.flatMap(({ blocks }) => (blocks === 'snapshot' ? [] : [blocks.slice('application/'.length)]))),
  ].sort();

const AT_ONCE = 2;

const renderAll = async (
  parts: JudgeParts,
  task: JudgeTask,
  read: CommitDocuments,
  snapshot: FleetSnapshot,
): Promise<readonly RenderedApplication[]> => {
  if (snapshot.applications.length === 0) return [];
  const versions = await clusterVersions(parts.record);
  const tree = await task.mirror.tree(task.commit, task.signal);
  const rendered: RenderedApplication[] = [];
  const waiting = [...snapshot.applications];
  const work = async (): Promise<void> => {
    for (let application = waiting.shift(); application !== undefined; application = waiting.shift()) {
      const { name, fleet: fleetName } = application;
      const document = read.documents.find((one) => one.kind === 'Application' && one.name === name);
      const fleet = snapshot.fleets.find((one) => one.name === fleetName);
      if (document === undefined || fleet === undefined) continue;
      const clusters = clustersOf(fleet, snapshot.clusters);
      rendered.push(
        await renderApplication(parts, {
          document,
          application,
          fleet,
          clusters,
          versions,
          dir: tree.dir,
          signal: task.signal,
        }),
      );
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    tree.release();
  }
  return rendered.sort((a, b) => (a.application.name < b.application.name ? -1 : 1));
};

const saveReleases = async (
  record: RecordPort,
  task: JudgeTask,
  rendered: readonly RenderedApplication[],
  errors: readonly SyncError[],
): Promise<readonly string[]> => {
  const triggered: string[] = [];
  for (const one of rendered) {
    const { name, trigger } = one.application;
    const own = blocking(errors, name);
    const { release, changed } = await saveRelease(record, one, task.repository, task.commit, own);
    if (trigger === 'onCommit' && changed && release.state === 'Good') triggered.push(name);
  }
  return triggered;
};

const putInForce = async (
  record: RecordPort,
  task: JudgeTask,
  model: FleetSnapshot,
  before: SnapshotRecord | null,
): Promise<void> => {
  const same = before?.commit === task.commit;
  const diff = diffSnapshots((before?.model ?? null) as FleetSnapshot | null, model);
  const events: readonly AuditEvent[] = same
    ? []
    : [
        {
          type: 'snapshot.in-force',
          actor: 'breakwater',
          reason: task.approved ? 'Approved' : 'Synced',
          message: `commit ${task.commit.slice(0, 12)} is in force`,
          repository: task.repository,
          data: {
            commit: task.commit,
            previous: before?.commit ?? null,
            clusters: diff.clusters,
            fleets: diff.fleets,
            strategies: diff.strategies,
            applications: diff.applications,
          },
        },
      ];
  const snapshot: SnapshotRecord = {
    id: same ? before.id : randomUUID(),
    repository: task.repository,
    commit: task.commit,
    model,
    at: await record.now(),
  };
  await record.sync.saveSnapshot(snapshot, events);
};
