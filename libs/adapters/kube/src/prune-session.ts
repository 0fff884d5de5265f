import type { PruneOutcome, PruneRequest } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { parseObjectKey } from '@breakwater/domain';
import { inBatches } from './apply-order.ts';
import { isOurObject } from './decision.ts';
import { cutOff, settle } from './ended.ts';
import type { FenceEntry, HeldFence, Inventory } from './fence.ts';
import { checkFence, isAbandoned, readFence } from './fence.ts';
import { FenceKeeper, FenceMoved } from './fence-keeper.ts';
import type { Identity } from './identity.ts';
import { jobsNotRunAgain, withSuspects } from './inventory.ts';
import type { KubeApi } from './kube-api.ts';
import { checkNothingIsLeft } from './leftovers.ts';
import { READS_AT_ONCE } from './live-objects.ts';
import { NamespaceRemover } from './namespace-remover.ts';
import { ObjectWriter } from './object-writer.ts';
import { inParallel } from './parallel.ts';
import type { Candidate } from './prune-verdict.ts';
import { isKept, tooManyDeletions, verdictOn } from './prune-verdict.ts';
import { Restorer } from './restore.ts';
import { keepsChanging, SessionWriter } from './session-writer.ts';
import { moveEveryObject, placeOfEntry } from './take-over.ts';

const DELETES_AT_ONCE = 4;
const ATTEMPTS = 5;

export const pruneInventory = (api: KubeApi, identity: Identity, request: PruneRequest): Promise<PruneOutcome> => {
  const writer = new SessionWriter(api, request, request.mode, (message) => message);
  const session = new PruneSession(api, identity, request, writer);
  return settle(
    () => writer.wrote,
    () => session.run(),
  );
};

type Kept = { readonly key: ObjectKey; readonly reason: string };

/** Deletes by inventory only: read, judged, limited, fence taken, deleted by uid and resourceVersion, awaited, fence closed. */
class PruneSession {
  readonly #api: KubeApi;
  readonly #identity: Identity;
  readonly #request: PruneRequest;
  readonly #writer: SessionWriter;
  readonly #deleted: ObjectKey[] = [];
  readonly #kept = new Map<ObjectKey, Kept>();
  /** No longer in the inventory. */
  readonly #dropped = new Set<ObjectKey>();
  #fenceStays = true;

  constructor(api: KubeApi, identity: Identity, request: PruneRequest, writer: SessionWriter) {
    this.#api = api;
    this.#identity = identity;
    this.#request = request;
    this.#writer = writer;
  }

  async run(): Promise<PruneOutcome> {
    await this.#identity.check(this.#request.clusterUid, this.#request.signal);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        return await this.#once();
      } catch (error) {
        if (!(error instanceof FenceMoved)) throw error;
      }
    }
    throw cutOff('ServerError', 'the fence keeps changing while it is being taken');
  }

  async #once(): Promise<PruneOutcome> {
    const held = await readFence(this.#api, this.#request.application, this.#request.signal);
    if (held === null && this.#request.removeAll) await checkNothingIsLeft(this.#api, this.#request);
    else checkFence(held, this.#request);
    const keeper = new FenceKeeper(this.#api, this.#writer, this.#request, held);
    if (held === null) {
      this.#fenceStays = false;
      if (this.#request.removeAll) await this.#namespaces(keeper).removeSystem();
      return this.#outcome(new Map());
    }
    const candidates = await this.#judge(held.inventory);
    this.#checkLimit(candidates);
    // The apply before this has taken the fence; one that deletes nothing only reads.
    const quiet = candidates.every(({ verdict }) => verdict.kind === 'Keep') && held.closed;
    const inventory = quiet && !this.#request.removeAll ? held.inventory : await this.#write(held, keeper, candidates);
    return this.#outcome(inventory);
  }

  /** Reads whatever may go, and says what becomes of it. */
  async #judge(inventory: Inventory): Promise<readonly Candidate[]> {
    const keep = new Set<string>(this.#request.keep);
    const entries = [...inventory.values()].filter((entry) => !isKept(entry.key, keep));
    const candidates = await inParallel(entries, READS_AT_ONCE, async (entry) => {
      const place = await placeOfEntry(this.#api, entry, this.#request.signal);
      const live = place === null ? null : await this.#api.get(place, this.#request.signal);
      return { entry, place, live, verdict: verdictOn(entry, live, this.#request, Date.now()) };
    });
    for (const { entry, verdict } of candidates) {
      if (verdict.kind !== 'Keep' && verdict.kind !== 'Release') continue;
      // A suspect is not there: it is named as such, not as kept.
      if (verdict.reason !== 'Suspect') this.#kept.set(entry.key, { key: entry.key, reason: verdict.reason });
    }
    return candidates;
  }

  #checkLimit(candidates: readonly Candidate[]): void {
    const { maxDeletions } = this.#request.policy.prune;
    const counted = candidates
      .filter(({ verdict }) => verdict.kind === 'Delete' && verdict.counts)
      .map(({ entry }) => entry.key);
    if (counted.length <= maxDeletions) return;
    throw tooManyDeletions(counted, maxDeletions);
  }

  async #write(held: HeldFence, keeper: FenceKeeper, judged: readonly Candidate[]): Promise<Inventory> {
    const { application, epoch, signal } = this.#request;
    const abandoned = isAbandoned(held, this.#request);
    let inventory = held.inventory;
    let candidates = judged;
    await keeper.open({ ...this.#claim(), closed: false, inventory });
    if (abandoned) {
      const moved = await moveEveryObject(this.#api, this.#writer, inventory, { application, epoch, signal });
      inventory = withSuspects(inventory, moved, Date.now());
      candidates = await this.#judge(inventory);
      await keeper.confirm();
      this.#checkLimit(candidates);
    }
    await this.#delete(candidates, keeper);
    await this.#release(candidates, keeper);
    for (const { entry, verdict } of candidates) if (verdict.kind === 'Forget') this.#dropped.add(entry.key);
    const left = new Map([...inventory].filter(([key]) => !this.#dropped.has(key)));
    if (this.#request.removeAll && left.size === 0) await this.#removeTraces(keeper);
    else await keeper.update({ ...this.#claim(), closed: true, inventory: left });
    return left;
  }

  /** What others depend on goes last. */
  async #delete(candidates: readonly Candidate[], keeper: FenceKeeper): Promise<void> {
    const writer = this.#objectWriter(keeper);
    const namespaces = this.#namespaces(keeper);
    const doomed = candidates.filter(({ verdict }) => verdict.kind === 'Delete');
    const batches = inBatches(doomed, ({ entry }) => ({
      apiVersion: entry.apiVersion,
      kind: parseObjectKey(entry.key).kind,
    }));
    for (const { items } of [...batches].reverse()) {
      await inParallel(items, DELETES_AT_ONCE, async (candidate) => {
        const { entry, place, live } = candidate;
        if (place === null || live === null) return;
        const reason = isNamespaceEntry(entry)
          ? await namespaces.remove(place, live)
          : await this.#deleteOne(writer, keeper, candidate, live);
        if (reason === null) {
          this.#deleted.push(entry.key);
          this.#dropped.add(entry.key);
        } else this.#kept.set(entry.key, { key: entry.key, reason });
      });
    }
  }

  /** Null: deleted and gone; else why it was kept after all. */
  async #deleteOne(
    writer: ObjectWriter,
    keeper: FenceKeeper,
    candidate: Candidate,
    seen: KubeObject,
  ): Promise<string | null> {
    const { entry, place } = candidate;
    let live: KubeObject | null = seen;
    for (let attempt = 0; place !== null && attempt < ATTEMPTS; attempt++) {
      if (live === null) return null;
      if (!isOurObject(live, entry, this.#request.application)) return 'NotOurs';
      const uid: string = live.metadata.uid ?? '';
      if (await writer.delete(place, live)) {
        await writer.awaitGone(place, uid);
        return null;
      }
      live = await this.#api.get(place, this.#request.signal);
      await keeper.confirm();
    }
    throw keepsChanging(entry.key);
  }

  async #release(candidates: readonly Candidate[], keeper: FenceKeeper): Promise<void> {
    const restorer = new Restorer(this.#api, this.#writer, keeper, this.#request.signal);
    for (const { entry, place, verdict } of candidates) {
      if (verdict.kind !== 'Release') continue;
      if (place !== null && verdict.marked) await restorer.release(place);
      this.#dropped.add(entry.key);
    }
  }

  async #removeTraces(keeper: FenceKeeper): Promise<void> {
    await keeper.remove();
    this.#fenceStays = false;
    await this.#namespaces(keeper).removeSystem();
  }

  #namespaces(keeper: FenceKeeper): NamespaceRemover {
    return new NamespaceRemover(this.#api, this.#objectWriter(keeper), keeper, this.#request.signal);
  }

  #objectWriter(keeper: FenceKeeper): ObjectWriter {
    const { application, mode, policy, signal } = this.#request;
    const journal = (): Promise<void> => Promise.resolve();
    return new ObjectWriter(
      {
        api: this.#api,
        writer: this.#writer,
        keeper,
        context: { application, mode, policy, made: new Set<string>() },
        conflicts: 'report',
        journal,
        signal,
      },
      new Set(),
    );
  }

  #claim(): Pick<HeldFence, 'installation' | 'application' | 'rollout' | 'epoch' | 'nonce'> {
    const { installation, application, rollout, epoch, nonce } = this.#request;
    return { installation, application, rollout, epoch, nonce };
  }

  #outcome(inventory: Inventory): PruneOutcome {
    if (this.#request.mode === 'rollback') {
      for (const key of jobsNotRunAgain(inventory, this.#request)) this.#kept.set(key, { key, reason: 'NotRunAgain' });
    }
    return {
      kind: 'Pruned',
      deleted: this.#deleted,
      kept: [...this.#kept.values()],
      suspects: [...inventory.values()].filter((entry) => entry.suspectSince !== null).map((entry) => entry.key),
      inventory: this.#fenceStays,
    };
  }
}

const isNamespaceEntry = (entry: FenceEntry): boolean => entry.key.startsWith('Namespace/');
