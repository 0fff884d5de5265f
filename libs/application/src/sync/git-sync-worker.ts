import { randomUUID } from 'node:crypto';
import type { RecordPort, SyncRequest } from '../ports/record.port.ts';
import type { RepositorySpec } from '../ports/repository.port.ts';
import type { RolloutCommands } from '../use-cases.ts';
import type { JudgeParts } from './judge-commit.ts';
import {
  createRepositorySync,
  emptyRepository,
  type RepositorySync,
  type RepositorySyncParts,
} from './repository-sync.ts';
import { createCollector, type RetentionParts } from './retention.ts';
import { startOnCommit } from './start-on-commit.ts';

export interface GitSyncParts extends JudgeParts, Pick<RepositorySyncParts, 'mirrors'> {
  readonly repositories: readonly RepositorySpec[];
  readonly commands: RolloutCommands;
  /** Absent: everything is kept for ever. */
  readonly retention?: RetentionParts | undefined;
  /** Between two looks at a remote, in ms; each wait differs by up to a tenth, so that many do not ask at once. */
  readonly pollMs: number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly monotonic: () => number;
}

export interface GitSync {
  readonly name: string;
  /** Resolves when every repository was tried once by this worker, or found to be another's. */
  readonly firstSyncTried: Promise<void>;
  /** Lets a pass under way end where it can; what it did not get to is done again by the next worker. */
  stop(): Promise<void>;
}

const LEASE = 15_000;
/** Questions come by notification; this is for those whose notification was lost. */
const LOOK_EVERY = 2_000;
const JITTER = 0.1;

/** Wakes the sync of a repository in whatever process it runs: a webhook came in. */
export const wakeRepository = (record: RecordPort, name: string): Promise<void> =>
  record.transaction((tx) => tx.notify('sync', repositoryHint(name)));

const repositoryHint = (name: string): string => `repository/${name}`;

/** Follows the repositories: one worker at a time does each, by lease. */
export const startGitSync = async (parts: GitSyncParts): Promise<GitSync> => {
  const name = `git-sync-${randomUUID()}`;
  const stopping = new AbortController();
  const followers = parts.repositories.map((spec) => new Follower(parts, spec, name, stopping.signal));
  for (const spec of parts.repositories) {
    const known = await parts.record.sync.repository(spec.name);
    if (known === null) await parts.record.sync.saveRepository(emptyRepository(spec), []);
  }
  const unlisten = await parts.record.listen('sync', (payload) => followers.forEach((each) => each.hint(payload)));
  const loops = followers.map((follower) => follower.run());
  parts.log.info({ worker: name, repositories: parts.repositories.length }, 'git sync started');
  return {
    name,
    firstSyncTried: Promise.all(followers.map((follower) => follower.tried)).then(() => undefined),
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
      await unlisten();
      parts.log.info({ worker: name }, 'git sync stopped');
    },
  };
};

class Follower {
  readonly tried: Promise<void>;
  private readonly parts: GitSyncParts;
  private readonly spec: RepositorySpec;
  private readonly worker: string;
  private readonly signal: AbortSignal;
  private readonly sync: RepositorySync;
  private readonly collect: () => Promise<void>;
  private readonly markTried: () => void;
  private readonly triggered = new Set<Promise<void>>();
  private dueAt = -Infinity;
  private wake: () => void = () => undefined;
  private hinted = false;
  private lastSeen = '';
  private leads = false;
  private readonly lease: string;

  constructor(parts: GitSyncParts, spec: RepositorySpec, worker: string, signal: AbortSignal) {
    this.parts = parts;
    this.spec = spec;
    this.worker = worker;
    this.lease = `git-sync/${spec.name}`;
    this.signal = signal;
    const first = Promise.withResolvers<void>();
    this.tried = first.promise;
    this.markTried = first.resolve;
    const { retention } = parts;
    this.collect = retention === undefined ? async () => undefined : createCollector({ ...parts, retention }, spec);
    this.sync = createRepositorySync({ ...parts, onTriggered: (names, commit) => this.start(names, commit) }, spec);
  }

  hint(payload: string): void {
    if (payload === repositoryHint(this.spec.name)) this.dueAt = -Infinity;
    this.hinted = true;
    this.wake();
  }

  async run(): Promise<void> {
    while (!this.signal.aborted) {
      try {
        await this.turn();
      } catch (error) {
        if (!this.signal.aborted) {
          this.parts.log.error({ repository: this.spec.name, err: error }, 'git sync failed, it will be tried again');
        }
        this.plan();
        this.markTried();
      }
      await this.rest();
    }
    await Promise.all(this.triggered);
    // Given up: the next worker need not wait for the lease to run out.
    if (this.leads) await this.parts.record.sync.lease(this.lease, this.worker, 0).catch(() => false);
  }

  private async turn(): Promise<void> {
    this.leads = await this.parts.record.sync.lease(this.lease, this.worker, LEASE);
    if (!this.leads) {
      // Another worker follows it; ours is ready to take over.
      this.markTried();
      return;
    }
    const renewing = setInterval(() => {
      void this.parts.record.sync.lease(this.lease, this.worker, LEASE).catch(() => undefined);
    }, LEASE / 3);
    try {
      if (this.parts.monotonic() >= this.dueAt) await this.pass();
      await this.answerQuestions();
      if (!this.signal.aborted) await this.collect();
    } finally {
      clearInterval(renewing);
    }
  }

  private async pass(): Promise<void> {
    // Before the pass: a hint that comes in during it asks for another one.
    this.plan();
    const { state, observed } = await this.sync.pass(this.signal);
    const commit = observed?.commit ?? null;
    const seen = `${state} ${commit}`;
    if (seen !== this.lastSeen)
      this.parts.log.info({ repository: this.spec.name, state, commit }, 'repository changed');
    this.lastSeen = seen;
    this.markTried();
  }

  private async answerQuestions(): Promise<void> {
    const questions = (await this.parts.record.sync.openRequests()).filter(
      (request) => request.repository === this.spec.name,
    );
    for (const question of questions) {
      if (this.signal.aborted) return;
      await this.parts.record.sync.answer(question.id, await this.answer(question));
    }
  }

  private async answer(question: SyncRequest): Promise<NonNullable<SyncRequest['answer']>> {
    try {
      return await this.sync.answer(question, this.signal);
    } catch (error) {
      if (this.signal.aborted) throw error;
      this.parts.log.error({ repository: this.spec.name, request: question.id, err: error }, 'a question failed');
      const message = 'the Git sync failed; its log says why';
      return { ok: false, code: 'SyncFailed', message, commit: null, errors: [] };
    }
  }

  private start(applications: readonly string[], commit: string): void {
    // Not waited for: starting may itself ask this worker a question.
    const running = startOnCommit(this.parts, applications, commit)
      .catch((error: unknown) => this.parts.log.error({ commit, err: error }, 'a commit could not start its rollouts'))
      .finally(() => this.triggered.delete(running));
    this.triggered.add(running);
  }

  private plan(): void {
    const { pollMs, random, monotonic } = this.parts;
    this.dueAt = monotonic() + pollMs * (1 + JITTER * (2 * random() - 1));
  }

  private async rest(): Promise<void> {
    if (this.signal.aborted) return;
    if (!this.hinted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      const ms = Math.max(0, Math.min(LOOK_EVERY, this.dueAt - this.parts.monotonic()));
      const timer = setTimeout(resolve, ms);
      this.signal.addEventListener('abort', resolve as () => void, { once: true });
      await promise;
      clearTimeout(timer);
      this.signal.removeEventListener('abort', resolve as () => void);
    }
    this.hinted = false;
  }
}
