import type { ApplyOutcome, ApplyRequest, BeforeImage } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { assessWorkloads, baselineOf, ownRulesFor } from '@breakwater/domain';
import { APPLICATION_LABEL } from './apply-body.ts';
import { inBatches, isBlocker, ORDER } from './apply-order.ts';
import { departingFrom, withLiveAutoscalers } from './autoscalers.ts';
import { decide, isOurObject, isSettled, isWrite } from './decision.ts';
import { awaitEstablished } from './definitions.ts';
import { tryAll } from './dry-run.ts';
import { cutOff, Ended, settle } from './ended.ts';
import type { FenceEntry, HeldFence, Inventory } from './fence.ts';
import { checkFence, isAbandoned, isOurs, readFence } from './fence.ts';
import { FenceKeeper, FenceMoved } from './fence-keeper.ts';
import { overwrittenEdits } from './foreign-edits.ts';
import type { Identity } from './identity.ts';
import type { Planned } from './inventory.ts';
import { closingInventory, isOfSession, openingInventory, sameKeys, withSuspects } from './inventory.ts';
import type { KubeApi } from './kube-api.ts';
import { checkNothingIsLeft } from './leftovers.ts';
import type { LiveObjects } from './live-objects.ts';
import { readLive } from './live-objects.ts';
import type { Applied } from './object-writer.ts';
import { foreign, notAdopted, ObjectWriter, terminating } from './object-writer.ts';
import { namespacesMade } from './namespace-defaults.ts';
import { inParallel } from './parallel.ts';
import { tooManyDeletions, verdictOn } from './prune-verdict.ts';
import { Restorer } from './restore.ts';
import { scrubberFor } from './scrub.ts';
import { SessionWriter } from './session-writer.ts';
import { moveEveryObject, placeOfEntry } from './take-over.ts';
import type { Wanted } from './wanted.ts';
import { isNamespace, wantedFrom } from './wanted.ts';

const WRITES_AT_ONCE = 4;
const RESTARTS = 5;

/** Refusals of one object that leave the others' rollback possible. */
const ONE_OBJECT: ReadonlySet<string> = new Set([
  'FieldConflict',
  'OwnedByAnotherApplication',
  'NotAdopted',
  'Invalid',
  'AdmissionDenied',
  'Forbidden',
  'KindNotServed',
  'QuotaExceeded',
  'RollbackImpossible',
  'DeletionStuck',
]);

export const applyBundle = (api: KubeApi, identity: Identity, request: ApplyRequest): Promise<ApplyOutcome> => {
  const scrub = scrubberFor([...request.objects, ...request.before.map((image) => image.object)]);
  const writer = new SessionWriter(api, request, request.mode, scrub);
  const session = new ApplySession(api, identity, request, writer, scrub);
  return settle(
    () => writer.wrote,
    () => session.run(),
  );
};

/**
 * One apply. The order of its steps closes the races (see the tests of interleavings): fence read, objects read, decided, recorded,
 * fence taken against what was read, objects written against what was read, fence closed.
 */
class ApplySession {
  readonly #api: KubeApi;
  readonly #identity: Identity;
  readonly #request: ApplyRequest;
  readonly #writer: SessionWriter;
  readonly #scrub: (message: string) => string;
  #begun = false;
  /** Blockers that were withdrawn before the fence, as they are now. */
  readonly #withdrawn = new Map<ObjectKey, Applied>();

  constructor(
    api: KubeApi,
    identity: Identity,
    request: ApplyRequest,
    writer: SessionWriter,
    scrub: (message: string) => string,
  ) {
    this.#api = api;
    this.#identity = identity;
    this.#request = request;
    this.#writer = writer;
    this.#scrub = scrub;
  }

  async run(): Promise<ApplyOutcome> {
    await this.#identity.check(this.#request.clusterUid, this.#request.signal);
    for (let attempt = 0; attempt < RESTARTS; attempt++) {
      try {
        return await this.#once();
      } catch (error) {
        if (!(error instanceof FenceMoved)) throw error;
      }
    }
    throw cutOff('ServerError', 'the fence keeps changing while it is being taken');
  }

  async #once(): Promise<ApplyOutcome> {
    const { application, signal, policy } = this.#request;
    const held = await readFence(this.#api, application, signal);
    if (held === null && this.#takesEverythingBack()) await checkNothingIsLeft(this.#api, this.#request);
    else checkFence(held, this.#request);
    const keeper = new FenceKeeper(this.#api, this.#writer, this.#request, held);
    const bundle = await wantedFrom(this.#api, this.#request.objects, policy, signal);
    const departing = departingFrom(held?.inventory, bundle, (entry, object) => this.#isPruned(entry, object));
    const scaled = await withLiveAutoscalers(this.#api, bundle, departing, signal);
    const wanted = scaled.wanted.filter((item) => !this.#isGivenBack(item.key, held));
    const plan = this.#plan(wanted, await readLive(this.#api, wanted, signal), held);
    const forced = await this.#try(plan);
    this.#checkLimit(scaled.retired);
    await this.#begin(plan, forced, held);
    if (this.#request.mode === 'rollback') await this.#withdraw(plan, held, keeper);
    const todo = plan.some(({ decision }) => !isSettled(decision)) || this.#images(held).length > 0;
    if (!todo && !isAbandoned(held, this.#request)) return this.#nothingToWrite(plan, held, keeper);
    return this.#write(plan, held, keeper, forced, scaled.retired);
  }

  /** Decides for every object; in a rollback, what cannot be decided well does not stop the others. */
  #plan(wanted: readonly Wanted[], live: LiveObjects, held: HeldFence | null): readonly Planned[] {
    const { application, mode, policy } = this.#request;
    const absent = wanted.filter((item) => isNamespace(item.place) && (live.get(item.key) ?? null) === null);
    const known = namespacesMade(held?.inventory ?? new Map(), this.#request);
    const made = new Set([...known, ...absent.map((item) => item.place.name)]);
    const plan = wanted.map((item) => {
      const object = live.get(item.key) ?? null;
      return {
        wanted: item,
        live: object,
        decision: decide(item, object, held?.inventory.get(item.key), { application, mode, policy, made }),
      };
    });
    if (mode === 'rollback') return plan;
    const unowned = plan.filter(({ decision }) => decision.kind === 'NotAdopted');
    for (const { wanted: item, decision } of plan) {
      if (decision.kind === 'Foreign') throw foreign(item.key, decision.application);
      if (decision.kind === 'Terminating') throw terminating(item.key);
    }
    if (unowned.length > 0) throw notAdopted(unowned.map((item) => item.wanted.key));
    return plan;
  }

  /** Finds conflicts and refusals before the first write; says whose fields will be taken by force. */
  async #try(plan: readonly Planned[]): Promise<ReadonlySet<ObjectKey>> {
    const { mode, application, signal, policy } = this.#request;
    // A rollback does not ask first: it takes back whatever it can.
    if (mode === 'rollback') return new Set();
    const absent = new Set(
      plan.filter(({ wanted, live }) => isNamespace(wanted.place) && live === null).map((it) => it.wanted.place.name),
    );
    const changing = plan.filter(({ decision }) => decision.kind === 'Create' || decision.kind === 'Update');
    const trials = await tryAll(this.#api, changing, absent, { application, mode, signal, scrub: this.#scrub });
    const forced = new Set<ObjectKey>();
    for (const [key, trial] of trials) {
      if (trial.kind !== 'Conflict') continue;
      if (policy.conflicts === 'report') throw trial.refusal;
      forced.add(key);
    }
    return forced;
  }

  #isPruned(entry: FenceEntry, live: KubeObject): boolean {
    return verdictOn(entry, live, { ...this.#request, removeAll: false }, Date.now()).kind === 'Delete';
  }

  #checkLimit(retired: readonly FenceEntry[]): void {
    const { mode, policy } = this.#request;
    if (mode === 'forward' && retired.length > policy.prune.maxDeletions)
      throw tooManyDeletions(
        retired.map(({ key }) => key),
        policy.prune.maxDeletions,
      );
  }

  async #begin(plan: readonly Planned[], forced: ReadonlySet<ObjectKey>, held: HeldFence | null): Promise<void> {
    const { mode, journal, beforeFirstWrite, healthRules = [], policy } = this.#request;
    const images: BeforeImage[] = plan.flatMap(({ wanted, live, decision }) =>
      live !== null && (forced.has(wanted.key) || (decision.kind === 'Update' && decision.adopts))
        ? [{ key: wanted.key, object: live }]
        : [],
    );
    if (mode === 'forward' && images.length > 0) await journal(images);
    if (this.#begun) return;
    this.#begun = true;
    const objects = plan.flatMap(({ live }) => (live === null ? [] : [live]));
    const rules = ownRulesFor(
      healthRules,
      plan.map(({ wanted }) => wanted.key),
    );
    const report = assessWorkloads({ objects, pods: [], replicaSets: [], events: [], now: Date.now(), rules });
    await beforeFirstWrite({
      baseline: baselineOf(report),
      changing: plan.filter(({ decision }) => isWrite(decision)).map(({ wanted }) => wanted.key),
      overwrites: policy.conflicts === 'force' && held !== null ? overwrittenEdits(plan, held.inventory) : [],
    });
  }

  /**
   * What this rollout wrote and what can refuse writes goes first, before even the fence: a webhook on `*` would refuse that too.
   * Each write is tied to the object that was read, and follows a look at the fence.
   */
  async #withdraw(plan: readonly Planned[], held: HeldFence | null, keeper: FenceKeeper): Promise<void> {
    if (held === null) return;
    const writer = this.#objectWriter(keeper, new Set(), held.inventory);
    const former = plan.filter(({ wanted, decision }) => isBlocker(wanted.object) && decision.kind === 'Update');
    for (const { wanted, live } of former) {
      await keeper.confirm();
      this.#withdrawn.set(wanted.key, await writer.bring(wanted, live, held.inventory.get(wanted.key)));
    }
    const wanted = new Set(plan.map((item) => item.wanted.key));
    const made = [...held.inventory.values()].filter((entry) => this.#madeHere(entry) && !wanted.has(entry.key));
    for (const { items } of [...inBatches(made.filter(isBlockerEntry), kindOfEntry)].reverse()) {
      for (const entry of items) await this.#deleteAhead(entry, writer, keeper);
    }
  }

  /** Before the prune. By uid and resourceVersion, each time after a look at the fence. */
  async #deleteAhead(entry: FenceEntry, writer: ObjectWriter, keeper: FenceKeeper): Promise<void> {
    const { application, signal, policy } = this.#request;
    if (policy.prune.protect.includes(kindOfEntry(entry).kind)) return;
    const place = await placeOfEntry(this.#api, entry, signal);
    for (let attempt = 0; place !== null && attempt < RESTARTS; attempt++) {
      const live = await this.#api.get(place, signal);
      if (live === null || !isOurObject(live, entry, application)) return;
      await keeper.confirm();
      if (await writer.delete(place, live)) return;
    }
  }

  /** A session that changes no object still takes the fence: a predecessor that has read it, and sleeps, must not wake up and write. */
  async #nothingToWrite(plan: readonly Planned[], held: HeldFence | null, keeper: FenceKeeper): Promise<ApplyOutcome> {
    const opened = openingInventory(held?.inventory ?? new Map(), plan, this.#request);
    const inventory = closingInventory(opened, plan, new Map(), this.#request);
    const settled = held !== null && held.closed && isOurs(held, this.#request) && sameKeys(held.inventory, inventory);
    // No fence, and nothing to be fenced: rolling back to nothing where nothing is.
    if (!settled && (held !== null || inventory.size > 0)) await keeper.open(this.#fence(inventory, true));
    return this.#outcome(plan, [], inventory);
  }

  async #write(
    plan: readonly Planned[],
    held: HeldFence | null,
    keeper: FenceKeeper,
    forced: ReadonlySet<ObjectKey>,
    retired: readonly FenceEntry[],
  ): Promise<ApplyOutcome> {
    const { application, epoch, signal } = this.#request;
    const abandoned = isAbandoned(held, this.#request);
    const former = held?.inventory ?? new Map<ObjectKey, FenceEntry>();
    let inventory = openingInventory(former, plan, this.#request);
    await keeper.open(this.#fence(inventory, false));
    let current = plan;
    if (abandoned) {
      const moved = await moveEveryObject(this.#api, this.#writer, former, { application, epoch, signal });
      // After the objects, the fence: had a successor taken it before, these reads would already be its objects'.
      await keeper.confirm();
      inventory = withSuspects(inventory, moved, Date.now());
      current = this.#plan(
        plan.map((item) => item.wanted),
        new Map([...plan.map((it) => [it.wanted.key, it.live] as const), ...moved]),
        { ...this.#heldNow(keeper), inventory },
      );
    }
    const failures: Ended[] = [];
    const writer = this.#objectWriter(keeper, forced, inventory);
    // The prune would do it, but only after the workloads got their number back: it would be scaled away again before that.
    for (const entry of retired) await this.#goOn(failures, () => this.#deleteAhead(entry, writer, keeper));
    const applied = await this.#applyAll(current, inventory, writer, failures);
    const released = await this.#restore(held, keeper, failures);
    const [failure] = failures;
    if (failure !== undefined) throw failure;
    const closing = closingInventory(inventory, current, applied, this.#request);
    for (const key of released) closing.delete(key);
    await keeper.update(this.#fence(closing, true));
    const changed = current
      .filter(({ wanted }) => applied.get(wanted.key)?.wrote === true)
      .map(({ wanted }) => wanted.key);
    return this.#outcome(current, changed, closing);
  }

  async #applyAll(
    plan: readonly Planned[],
    inventory: ReadonlyMap<ObjectKey, FenceEntry>,
    writer: ObjectWriter,
    failures: Ended[],
  ): Promise<Map<ObjectKey, Applied>> {
    const applied = new Map(this.#withdrawn);
    const batches = inBatches(plan, ({ wanted }) => wanted.object);
    for (const { order, items } of batches) {
      const open = items.filter(({ wanted }) => !applied.has(wanted.key));
      await inParallel(open, WRITES_AT_ONCE, async ({ wanted, live }) => {
        const result = await this.#goOn(failures, () => writer.bring(wanted, live, inventory.get(wanted.key)));
        if (result !== null) applied.set(wanted.key, result);
      });
      if (order === ORDER.Definition) {
        const definitions = items.map(({ wanted }) => wanted.place);
        await this.#goOn(failures, () => awaitEstablished(this.#api, definitions, this.#request.signal));
      }
    }
    return applied;
  }

  /** Returns the keys that are nobody's any more. */
  async #restore(held: HeldFence | null, keeper: FenceKeeper, failures: Ended[]): Promise<ReadonlySet<ObjectKey>> {
    const released = new Set<ObjectKey>();
    const restorer = new Restorer(this.#api, this.#writer, keeper, this.#request.signal);
    for (const { entry, image } of this.#images(held)) {
      const place = await placeOfEntry(this.#api, entry, this.#request.signal);
      if (place === null) continue;
      await this.#goOn(failures, async () => {
        if (!this.#adoptedHere(entry, image)) return restorer.forcedFields(place, image);
        await restorer.whole(place, image);
        released.add(entry.key);
        return null;
      });
    }
    return released;
  }

  /** In a rollback, an object that cannot be taken back is reported after the others have been. */
  async #goOn<T>(failures: Ended[], work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      const bearable = error instanceof Ended && error.end.kind === 'Refused' && ONE_OBJECT.has(error.end.reason);
      if (this.#request.mode === 'forward' || !bearable) throw error;
      failures.push(error);
      return null;
    }
  }

  /** Before-images that this rollback has to put back. */
  #images(held: HeldFence | null): readonly { readonly entry: FenceEntry; readonly image: BeforeImage }[] {
    if (this.#request.mode === 'forward' || held === null) return [];
    return this.#request.before.flatMap((image) => {
      const entry = held.inventory.get(image.key);
      return entry === undefined ? [] : [{ entry, image }];
    });
  }

  #takesEverythingBack(): boolean {
    return this.#request.mode === 'rollback' && this.#request.objects.length === 0;
  }

  /** The image tells it too, where the fence was not closed after the adoption: it is of an object that was not ours. */
  #adoptedHere(entry: FenceEntry, { object }: BeforeImage): boolean {
    const theirs = object.metadata.labels?.[APPLICATION_LABEL] !== this.#request.application;
    return (entry.origin === 'adopted' || theirs) && isOfSession(entry, this.#request);
  }

  #madeHere(entry: FenceEntry): boolean {
    return entry.origin === 'created' && isOfSession(entry, this.#request);
  }

  /** Restored whole, instead of being applied. */
  #isGivenBack(key: ObjectKey, held: HeldFence | null): boolean {
    return this.#images(held).some(({ entry, image }) => entry.key === key && this.#adoptedHere(entry, image));
  }

  #objectWriter(keeper: FenceKeeper, forced: ReadonlySet<ObjectKey>, inventory: Inventory): ObjectWriter {
    const { application, mode, policy, journal, signal } = this.#request;
    return new ObjectWriter(
      {
        api: this.#api,
        writer: this.#writer,
        keeper,
        context: { application, mode, policy, made: namespacesMade(inventory, this.#request) },
        conflicts: policy.conflicts,
        journal,
        signal,
      },
      forced,
    );
  }

  #heldNow(keeper: FenceKeeper): HeldFence {
    if (keeper.held === null) throw new Error('the fence is not held');
    return keeper.held;
  }

  #fence(inventory: ReadonlyMap<ObjectKey, FenceEntry>, closed: boolean): Parameters<FenceKeeper['open']>[0] {
    const { installation, application, rollout, epoch, nonce } = this.#request;
    return { installation, application, rollout, epoch, nonce, closed, inventory };
  }

  #outcome(
    plan: readonly Planned[],
    changed: readonly ObjectKey[],
    inventory: ReadonlyMap<ObjectKey, FenceEntry>,
  ): ApplyOutcome {
    const wanted = new Set(plan.map((item) => item.wanted.key));
    const written = new Set(changed);
    const unchanged = plan.filter((item) => !item.wanted.implied && !written.has(item.wanted.key)).length;
    return { kind: 'Applied', changed, unchanged, prunable: [...inventory.keys()].filter((key) => !wanted.has(key)) };
  }
}

const kindOfEntry = (entry: FenceEntry): Pick<KubeObject, 'apiVersion' | 'kind'> => {
  const [kind = ''] = entry.key.split('/').slice(-3);
  return { apiVersion: entry.apiVersion, kind };
};

const isBlockerEntry = (entry: FenceEntry): boolean => isBlocker(kindOfEntry(entry));
