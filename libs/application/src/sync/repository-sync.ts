import type { AuditEvent, RecordPort, RepositoryRecord, SyncRequest } from '../ports/record.port.ts';
import { type FetchedCommit, RepositoryError, type RepositoryMirror } from '../ports/repository.port.ts';
import type { RepositoryMirrors, RepositorySpec } from '../ports/repository.port.ts';
import { answerRelease } from './answer-release.ts';
import { judgeCommit, type Judgement, type JudgeParts } from './judge-commit.ts';
import { clusterVersions } from './render-application.ts';
import { repositoryErrors } from './sync-error.ts';

export interface RepositorySyncParts extends JudgeParts {
  readonly mirrors: RepositoryMirrors;
  /** Starts what a commit triggers; returns at once. */
  readonly onTriggered: (applications: readonly string[], commit: string) => void;
}

type Answer = NonNullable<SyncRequest['answer']>;

export interface RepositorySync {
  /** Fetch, judge, record: one pass. Throws for what is neither the repository's nor the remote's fault. */
  pass(signal: AbortSignal): Promise<RepositoryRecord>;
  answer(request: SyncRequest, signal: AbortSignal): Promise<Answer>;
}

interface Judged {
  readonly judgement: Judgement;
  /** Cluster versions that it was rendered for: a cluster's upgrade is a reason to render again. */
  readonly versions: string;
}

/** The Git sync of one repository: what `pass` reads of it, and the questions about it. Not for use by two callers at once. */
export const createRepositorySync = (parts: RepositorySyncParts, spec: RepositorySpec): RepositorySync => {
  const { record } = parts;
  let judged: Judged | null = null;

  const open = (): Promise<RepositoryMirror> => parts.mirrors.open(spec);

  const judge = async (
    mirror: RepositoryMirror,
    commit: string,
    approved: boolean,
    signal: AbortSignal,
  ): Promise<Judgement> => {
    const versions = await versionsOf(record);
    if (judged?.judgement.commit === commit && judged.versions === versions && !approved) return judged.judgement;
    const judgement = await judgeCommit(parts, { mirror, repository: spec.name, commit, approved, signal }).catch(
      (error: unknown) => unusable(commit, error),
    );
    // Judged with the versions from before it was in force, which name no new cluster: those are looked at by the next pass.
    judged = judgement.settled ? { judgement, versions } : null;
    if (judgement.triggered.length > 0) parts.onTriggered(judgement.triggered, commit);
    return judgement;
  };

  const run = async (
    signal: AbortSignal,
    approve: string | null,
  ): Promise<{ readonly saved: RepositoryRecord; readonly moved: boolean }> => {
    const before = (await record.sync.repository(spec.name)) ?? emptyRepository(spec);
    let fetched: FetchedCommit;
    let judgement: Judgement;
    try {
      const mirror = await open();
      fetched = await mirror.fetch(signal);
      judgement = await judge(mirror, fetched.commit, approve === fetched.commit, signal);
    } catch (error) {
      if (!(error instanceof RepositoryError) || error.code === 'Aborted') throw error;
      return { saved: await save(record, before, unreachable(before, spec, error, await record.now())), moved: false };
    }
    const at = fetched.at;
    const after: RepositoryRecord = {
      name: spec.name,
      url: spec.url,
      ref: spec.ref,
      state: judgement.state,
      message: judgement.message,
      observed: { commit: fetched.commit, at },
      good: judgement.inForce ? { commit: fetched.commit, at: keptTime(before, fetched) } : before.good,
      errors: judgement.errors,
      triedAt: at,
    };
    return { saved: await save(record, before, after), moved: approve !== null && approve !== fetched.commit };
  };

  const answerQuestion = async (request: SyncRequest, signal: AbortSignal): Promise<Answer> => {
    if (request.kind === 'release') return answerRelease(parts, await open(), spec.name, request, signal);
    const { saved, moved } = await run(signal, request.kind === 'approve' ? request.revision : null);
    const commit = saved.observed?.commit ?? null;
    if (moved) {
      const message = 'the repository has a newer commit than the one that was approved; look at that one';
      return { ok: false, code: 'CommitMoved', message, commit, errors: [] };
    }
    const ok = saved.state !== 'Unreachable';
    return { ok, code: saved.state, message: saved.message, commit, errors: saved.errors };
  };

  return {
    pass: async (signal) => (await run(signal, null)).saved,
    answer: async (request, signal) => {
      try {
        return await answerQuestion(request, signal);
      } catch (error) {
        if (!(error instanceof RepositoryError) || error.code === 'Aborted') throw error;
        const code = error.disposition === 'retry' ? 'Unreachable' : error.code;
        return { ok: false, code, message: error.message, commit: null, errors: repositoryErrors(error) };
      }
    },
  };
};

/** The remote has answered: what a person has to mend is the commit, and it was judged by that. */
const unusable = (commit: string, error: unknown): Judgement => {
  if (!(error instanceof RepositoryError) || error.disposition === 'retry') throw error;
  const message = `${error.message}; the last good commit stays in force`;
  const errors = repositoryErrors(error);
  return { commit, state: 'Invalid', message, errors, inForce: false, settled: true, triggered: [] };
};

const versionsOf = async (record: RecordPort): Promise<string> =>
  [...(await clusterVersions(record))]
    .map(([name, version]) => `${name}=${version}`)
    .sort()
    .join(' ');

export const emptyRepository = (spec: RepositorySpec): RepositoryRecord => ({
  name: spec.name,
  url: spec.url,
  ref: spec.ref,
  state: 'Pending',
  message: '',
  observed: null,
  good: null,
  errors: [],
  triedAt: null,
});

/** `good.at` says since when the commit is known to be good. */
const keptTime = (before: RepositoryRecord, fetched: FetchedCommit): number =>
  before.good?.commit === fetched.commit ? before.good.at : fetched.at;

const unreachable = (
  before: RepositoryRecord,
  spec: RepositorySpec,
  error: RepositoryError,
  now: number,
): RepositoryRecord => ({
  ...before,
  url: spec.url,
  ref: spec.ref,
  state: 'Unreachable',
  message: `${error.message}; everything in force stays as it is`,
  errors: repositoryErrors(error),
  triedAt: now,
});

const save = async (
  record: RecordPort,
  before: RepositoryRecord,
  after: RepositoryRecord,
): Promise<RepositoryRecord> => {
  await record.sync.saveRepository(after, changeOf(before, after));
  return after;
};

const changeOf = (before: RepositoryRecord, after: RepositoryRecord): readonly AuditEvent[] => {
  const same = before.state === after.state && before.observed?.commit === after.observed?.commit;
  if (same && before.message === after.message) return [];
  return [
    {
      type: `repository.${after.state.toLowerCase()}`,
      actor: 'breakwater',
      reason: after.state,
      message: after.message,
      repository: after.name,
      data: {
        from: before.state,
        observed: after.observed?.commit ?? null,
        good: after.good?.commit ?? null,
        errors: after.errors.length,
      },
    },
  ];
};
