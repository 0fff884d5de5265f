import { AUDIT_GENESIS, auditHash } from '@breakwater/application';
import type { WireAuditEvent } from '@breakwater/platform';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiRefusal } from '../../support/program.ts';
import type { CampaignWorld } from './campaign-world.ts';
import type { ClusterEnd, Evidence, FenceState, Landing, RolloutSeen, TrailEvent, Verdict } from './evidence.ts';
import { judgeAll } from './judges/judges.ts';
import { Observer } from './observer.ts';
import { insist, People, type Started } from './people.ts';
import { Saboteur } from './saboteur.ts';
import { type Episode } from './schedule.ts';
import { describeStep, seconds, type Step } from './steps.ts';
import { type Settled, untilSettled } from './settle.ts';

export interface EpisodeOutcome {
  readonly verdicts: readonly Verdict[];
  readonly settled: Settled;
  /** State of each rollout that was started in it. */
  readonly ends: readonly string[];
  /** Kinds of steps that were done; those that the state forbade are not among them. */
  readonly done: readonly string[];
  readonly refused: number;
  /** Writes that landed an age too late. */
  readonly late: number;
}

/** A rollout that writes nothing in this time is held up by something else. */
const HELD_WITHIN_MS = 20_000;

/** What a rollout of an earlier episode can still be concerned by. */
const EPISODES_BACK = 2;

/** Runs episodes in one world, and judges each when it has become quiet. */
export class EpisodeRunner {
  readonly #world: CampaignWorld;
  readonly #people: People;
  readonly #saboteur: Saboteur;
  readonly #say: (line: string) => void;
  readonly #rollouts = new Map<string, RolloutSeen>();
  #fences: ReadonlyMap<string, FenceState> = new Map();
  #trail = { sequence: 0, hash: AUDIT_GENESIS, at: new Date(0).toISOString() };

  constructor(world: CampaignWorld, say: (line: string) => void) {
    this.#world = world;
    this.#people = new People(world);
    this.#saboteur = new Saboteur(world);
    this.#say = say;
  }

  /** @throws Error when not even an undisturbed rollout succeeds */
  async prepare(first: Step & { readonly type: 'release' }): Promise<void> {
    const id = await this.#people.release(first, 0);
    const { state, message } = await this.#world.programs.api.end(id, 120_000);
    if (state !== 'Succeeded') throw new Error(`the first, undisturbed rollout ended ${state}: ${message}`);
    await untilSettled(this.#world.programs.api);
    for (const cluster of this.#world.clusters) await cluster.putStranger();
    this.#fences = fencesAfter(await this.#landings(), new Map());
  }

  async run(episode: Episode): Promise<EpisodeOutcome> {
    const { api } = this.#world.programs;
    this.#people.beginEpisode();
    this.#saboteur.beginEpisode();
    for (const cluster of this.#world.clusters) await cluster.forget();
    const observer = new Observer(api);
    const began = Date.now();
    const done: string[] = [];
    let refused = 0;
    const begun = Promise.withResolvers<void>();
    await Promise.all(
      episode.steps.map(async (step) => {
        await this.#moment(step, began, begun.promise);
        this.#say(`  +${seconds(Date.now() - began)} ${describeStep(step)}`);
        const refusal = await this.#do(step, episode.number);
        if (step.type === 'release') begun.resolve();
        if (refusal === null) done.push(step.kind);
        else {
          refused += 1;
          this.#say(`  +${seconds(Date.now() - began)} ${step.kind} was refused: ${refusal}`);
        }
      }),
    );
    for (const cluster of this.#world.clusters) await insist(() => cluster.recovered());
    const settled = await untilSettled(api);
    const looks = await observer.end();
    const landings = await this.#landings();
    const ends = await this.#ends();
    const late = this.#saboteur.caught;
    await this.#saboteur.landEverything();
    const endsAfterLateWrites = await this.#ends();
    await this.#readRollouts(episode.number);
    const evidence: Evidence = {
      fleet: this.#world.fleet,
      releases: this.#people.releases,
      versions: this.#people.versions,
      rollouts: this.#people.started.flatMap(({ id }) => this.#rollouts.get(id) ?? []),
      started: new Set(this.#startedIn(episode.number).map(({ id }) => id)),
      landings,
      fences: this.#fences,
      promises: this.#people.promises,
      looks,
      disturbed: new Set(this.#saboteur.disturbed),
      programsOnly: episode.programsOnly,
      ends,
      endsAfterLateWrites,
      trail: await this.#readTrail(),
    };
    this.#fences = fencesAfter(landings, this.#fences);
    return {
      verdicts: judgeAll(evidence),
      settled,
      ends: evidence.rollouts.filter(({ id }) => evidence.started.has(id)).map(({ state }) => state),
      done,
      refused,
      late,
    };
  }

  async #moment(step: Step, began: number, begun: Promise<void>): Promise<void> {
    if (step.type === 'fault' || (step.type === 'release' && !step.onceHeld)) {
      await delay(Math.max(0, began + step.atMs - Date.now()));
      return;
    }
    // Git sync takes its time: what people do, they do to a rollout that there is.
    await begun;
    const until = Date.now() + HELD_WITHIN_MS;
    while (step.onceHeld && this.#saboteur.caught === 0 && Date.now() < until) await delay(20);
    await delay(step.atMs);
  }

  /** Null, or what the state's refusal says. */
  async #do(step: Step, episode: number): Promise<string | null> {
    try {
      if (step.type === 'release') await this.#people.release(step, episode);
      else if (step.type === 'deed') await this.#people.does(step);
      else await this.#saboteur.befall(step);
      return null;
    } catch (error) {
      if (error instanceof ApiRefusal && step.type !== 'fault') return error.message;
      throw error;
    }
  }

  #startedIn(episode: number): readonly Started[] {
    return this.#people.started.filter((started) => started.episode === episode);
  }

  async #landings(): Promise<readonly Landing[]> {
    const all: Landing[] = [];
    // One after the other: an audit log is long.
    for (const cluster of this.#world.clusters) all.push(...(await insist(() => cluster.landings())));
    return all;
  }

  async #ends(): Promise<ReadonlyMap<string, ClusterEnd>> {
    const entries: [string, ClusterEnd][] = [];
    for (const cluster of this.#world.clusters) entries.push([cluster.name, await insist(() => cluster.end())]);
    return new Map(entries);
  }

  async #readRollouts(episode: number): Promise<void> {
    const { api } = this.#world.programs;
    for (const { id, release } of this.#people.started.filter((it) => it.episode > episode - EPISODES_BACK)) {
      const { state, message, revision } = await insist(() => api.rollout(id));
      const targets = await insist(() => api.targets(id));
      this.#rollouts.set(id, {
        id,
        release,
        state,
        message,
        revision: revision.commit,
        targets: targets.map((target) => ({
          cluster: target.cluster,
          wave: target.wave,
          state: target.state,
          reason: target.reason,
          revision: target.revision.commit,
          previous: target.previousRevision?.commit ?? null,
          started: target.startedAt !== null,
        })),
      });
    }
  }

  async #readTrail(): Promise<readonly TrailEvent[]> {
    const events = (await insist(() => this.#world.programs.api.auditTrail(this.#trail.at))).filter(
      ({ sequence }) => sequence > this.#trail.sequence,
    );
    const trail = events.map((event): TrailEvent => {
      const { sequence, hash } = event;
      const expectedHash = auditHash(this.#trail.hash, sequence, Date.parse(event.at), storedEvent(event));
      this.#trail = { sequence, hash, at: event.at };
      return { sequence, hash, expectedHash };
    });
    return trail;
  }
}

/** As the record has it: what is not there is null on the wire. */
const storedEvent = ({ type, actor, reason, message, ...rest }: WireAuditEvent): Parameters<typeof auditHash>[3] => ({
  type,
  actor,
  reason,
  message,
  ...(rest.rollout === null ? {} : { rollout: rest.rollout as never }),
  ...(rest.application === null ? {} : { application: rest.application }),
  ...(rest.cluster === null ? {} : { cluster: rest.cluster }),
  ...(rest.repository === null ? {} : { repository: rest.repository }),
  ...(Object.keys(rest.data).length === 0 ? {} : { data: rest.data }),
});

const fencesAfter = (
  landings: readonly Landing[],
  before: ReadonlyMap<string, FenceState>,
): ReadonlyMap<string, FenceState> => {
  const fences = new Map(before);
  for (const { cluster, fence } of landings) if (fence !== null) fences.set(cluster, fence);
  return fences;
};
