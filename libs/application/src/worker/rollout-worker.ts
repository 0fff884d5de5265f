import { type RolloutId } from '@breakwater/domain';
import { randomUUID } from 'node:crypto';
import { type ClusterConnector, PermitLost } from '../ports/cluster.port.ts';
import type { GateCallbacks } from '../ports/gate-callbacks.port.ts';
import type { GateProbe } from '../ports/gate-probe.port.ts';
import type { RecordPort } from '../ports/record.port.ts';
import type { WakeUpQueue } from '../ports/wake-ups.port.ts';
import type { BundleStore } from '../releases/bundle-store.ts';
import { runPreflight } from '../rollout/preflight/run-preflight.ts';
import { reconcileRollout } from '../rollout/reconcile-rollout.ts';
import { parseWakeKey, targetKey } from '../rollout/wake-keys.ts';
import { createLookout } from './answer-looks.ts';
import { watchClusters } from './cluster-monitor.ts';
import { visitGate } from './gate-runner.ts';
import { repeat, type WorkerLog } from './periodic.ts';
import { createPermitKeeper } from './permit-keeper.ts';
import { visitTarget } from './target-runner.ts';
import { CLAIM_LEASE } from './target-visit.ts';

export interface RolloutWorkerParts {
  readonly record: RecordPort;
  readonly queue: WakeUpQueue;
  readonly clusters: ClusterConnector;
  readonly bundles: BundleStore;
  /** By the kind of gate that they measure. */
  readonly probes: ReadonlyMap<string, GateProbe>;
  /** Where servers that gates ask may answer later; default: nowhere. */
  readonly callbacks?: GateCallbacks | null;
  readonly log: WorkerLog;
  /** Monotonic milliseconds, that go on in suspend where the platform can. */
  readonly monotonic: () => number;
  /** Targets under way at once in this process. */
  readonly maxTargets?: number;
  readonly scanIntervalMs?: number;
}

export interface RolloutWorker {
  readonly name: string;
  /** Takes no new work, lets requests that are on their way come back, gives its claims and permits back. No rollout ends by it. */
  stop(): Promise<void>;
}

interface Visit {
  poke(): void;
  readonly ended: Promise<void>;
}

const SCAN_INTERVAL = 1_000;
const ROLLOUTS_PER_SCAN = 50;
const ROLLOUT_LEASE = 5_000;
/** Requests on their way at a stop get this long to come back; in ms. */
const STOP_GRACE = 8_000;

/**
 * Wake-ups come through the queue and make it fast; the scan of the record's due rows makes it sure. Both end in the same two
 * functions: reconcile a rollout, visit a target.
 */
export const startRolloutWorker = async (parts: RolloutWorkerParts): Promise<RolloutWorker> => {
  const { record, log, probes, callbacks = null } = parts;
  const name = `worker-${randomUUID()}`;
  const maxTargets = parts.maxTargets ?? 256;
  const stopping = new AbortController();
  const aborting = new AbortController();
  const visits = new Map<string, Visit>();
  const measuring = new Map<string, Promise<void>>();
  const lookout = createLookout({ record, clusters: parts.clusters, log, signal: stopping.signal });
  const permits = await createPermitKeeper(record, name, parts.monotonic);

  const reconcile = async (id: RolloutId): Promise<void> => {
    const wakes = await reconcileRollout({ record, wakeUps: parts.queue, bundles: parts.bundles }, id);
    // No row of the record is due for these: were they left to the queue alone, a lost wake-up would leave them undone.
    for (const key of wakes) if (/^(?:preflight|gate)\//.test(key)) await handle(key);
  };

  const visit = (rollout: RolloutId, cluster: string): void => {
    const key = targetKey(rollout, cluster);
    const running = visits.get(key);
    if (running !== undefined) {
      running.poke();
      return;
    }
    if (stopping.signal.aborted || visits.size >= maxTargets) return;
    visits.set(key, beginVisit(rollout, cluster, key));
  };

  const beginVisit = (rollout: RolloutId, cluster: string, key: string): Visit => {
    let poke = Promise.withResolvers<void>();
    let pokedAgain = false;
    const claim = randomUUID();
    const run = async (): Promise<void> => {
      if (!(await record.claims.claim(rollout, cluster, name, claim, CLAIM_LEASE))) return;
      try {
        const poked = (): Promise<void> => poke.promise;
        await visitTarget(
          {
            record,
            wakeUps: parts.queue,
            clusters: parts.clusters,
            bundles: parts.bundles,
            probes,
            callbacks,
            permits,
            worker: name,
          },
          { rollout, cluster, claim, signal: aborting.signal, draining: stopping.signal, poked },
        );
      } finally {
        await (stopping.signal.aborted ? record.claims.abandon(claim) : record.claims.release(claim));
      }
    };
    const ended = run()
      .catch((error: unknown) => {
        if (error instanceof PermitLost) return;
        if (!stopping.signal.aborted) log.error({ rollout, cluster, err: error }, 'target visit failed');
      })
      .finally(() => {
        visits.delete(key);
        if (pokedAgain && !stopping.signal.aborted) visit(rollout, cluster);
      });
    return {
      ended,
      poke: () => {
        pokedAgain = true;
        poke.resolve();
        poke = Promise.withResolvers<void>();
      },
    };
  };

  const handle = async (key: string): Promise<void> => {
    const parsed = parseWakeKey(key);
    if (parsed === null) return;
    switch (parsed.kind) {
      case 'rollout':
        return reconcile(parsed.id);
      case 'target':
        return visit(parsed.id, parsed.cluster);
      case 'preflight':
        return beginPreflight(key, parsed.id);
      case 'gate':
        return measureGate(key, parsed);
    }
  };

  /** One measurement of a wave's gate at a time, whoever was woken for it; nobody waits for it. */
  const measureGate = (
    key: string,
    gate: { readonly id: RolloutId; readonly wave: number; readonly gate: string },
  ): void => {
    if (stopping.signal.aborted || measuring.has(key)) return;
    const claim = randomUUID();
    const run = async (): Promise<void> => {
      if (!(await record.claims.claim(gate.id, `gate ${gate.wave}/${gate.gate}`, name, claim, CLAIM_LEASE))) return;
      try {
        const visited = { rollout: gate.id, wave: gate.wave, gate: gate.gate, signal: stopping.signal };
        const { queue: wakeUps, clusters } = parts;
        await visitGate({ record, wakeUps, clusters, probes, callbacks }, visited);
      } finally {
        await record.claims.release(claim);
      }
    };
    const ended = run()
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) log.error({ rollout: gate.id, gate: gate.gate, err: error }, 'gate visit failed');
      })
      .finally(() => measuring.delete(key));
    measuring.set(key, ended);
  };

  /** One worker asks a rollout's clusters; nobody waits for it. */
  const beginPreflight = (key: string, id: RolloutId): void => {
    if (stopping.signal.aborted || measuring.has(key)) return;
    const claim = randomUUID();
    const run = async (): Promise<void> => {
      if (!(await record.claims.claim(id, 'preflight of clusters', name, claim, CLAIM_LEASE))) return;
      try {
        const { queue: wakeUps, clusters, bundles } = parts;
        await runPreflight({ record, wakeUps, clusters, bundles }, { rollout: id, signal: stopping.signal });
      } finally {
        await record.claims.release(claim);
      }
    };
    const ended = run()
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) log.error({ rollout: id, err: error }, 'preflight failed');
      })
      .finally(() => measuring.delete(key));
    measuring.set(key, ended);
  };

  const scan = async (): Promise<void> => {
    for (const id of await record.rollouts.claimDueRollouts(ROLLOUTS_PER_SCAN, ROLLOUT_LEASE)) {
      await reconcile(id).catch((error: unknown) => log.error({ rollout: id, err: error }, 'reconcile failed'));
    }
    const room = maxTargets - visits.size;
    if (room > 0) for (const due of await record.rollouts.dueTargets(room)) visit(due.rollout, due.cluster);
    await record.audit.seal(500);
    await lookout.look();
  };

  const worker = await parts.queue.work(handle, 8);
  const loops = [
    repeat(parts.scanIntervalMs ?? SCAN_INTERVAL, stopping.signal, scan, log),
    repeat(CLAIM_LEASE / 3, stopping.signal, async () => void (await record.claims.renew(name, CLAIM_LEASE)), log),
    watchClusters({ record, clusters: parts.clusters, log, worker: name, signal: stopping.signal }),
  ];
  const unlistenEvents = await record.listen('event', () => void record.audit.seal(500).catch(() => undefined));
  const unlistenLooks = await record.listen('look', () => void lookout.look().catch(() => undefined));
  // A target that is being watched is claimed, so no scan finds it: after a freeze it would go on at its next regular look only.
  const unlistenGate = await record.listen('gate', (rollout) => {
    for (const [key, running] of visits) if (key.startsWith(targetKey(rollout as RolloutId, ''))) running.poke();
  });
  log.info({ worker: name }, 'rollout worker started');

  return {
    name,
    stop: async () => {
      await worker.close();
      stopping.abort();
      await unlistenEvents();
      await unlistenGate();
      await unlistenLooks();
      const grace = setTimeout(() => aborting.abort(), STOP_GRACE);
      await Promise.all([...visits.values()].map((running) => running.ended));
      await Promise.all(measuring.values());
      await lookout.ended();
      clearTimeout(grace);
      await Promise.all(loops);
      await permits.close();
      await record.claims.abandonAll(name).catch(() => undefined);
      log.info({ worker: name }, 'rollout worker stopped');
    },
  };
};
