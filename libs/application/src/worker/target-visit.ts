import type { KubeObject, Rollout, RolloutId, Target, TargetEvent } from '@breakwater/domain';
import type { ClusterConnector, Cutoff, Refusal } from '../ports/cluster.port.ts';
import type { GateCallbacks } from '../ports/gate-callbacks.port.ts';
import type { GateProbe } from '../ports/gate-probe.port.ts';
import type { RecordPort } from '../ports/record.port.ts';
import type { WakeUps } from '../ports/wake-ups.port.ts';
import type { BundleStore } from '../releases/bundle-store.ts';
import type { PermitKeeper } from './permit-keeper.ts';

export interface TargetRunnerParts {
  readonly record: RecordPort;
  readonly wakeUps: WakeUps;
  readonly clusters: ClusterConnector;
  readonly bundles: BundleStore;
  readonly permits: PermitKeeper;
  readonly probes: ReadonlyMap<string, GateProbe>;
  readonly callbacks: GateCallbacks | null;
  readonly worker: string;
}

/** One stay at a target: ended by `signal`, by having nothing to do before a later time, or by losing the claim. */
export interface TargetVisit {
  readonly rollout: RolloutId;
  readonly cluster: string;
  readonly claim: string;
  /** Cuts requests off: only when a graceful stop took too long. */
  readonly signal: AbortSignal;
  /** No new step is begun: what is on its way comes back, and the target is left for another worker. */
  readonly draining: AbortSignal;
  /** Resolves when the target should be looked at again although nothing is due: a poke from outside. */
  readonly poked: () => Promise<void>;
}

/** A dead worker's targets are taken over after this long; in ms. */
export const CLAIM_LEASE = 6_000;

export interface Scene {
  readonly rollout: Rollout;
  readonly target: Target;
}

export type Step = 'again' | 'done' | { readonly wait: () => Promise<void> };

export const readScene = async (parts: TargetRunnerParts, visit: TargetVisit): Promise<Scene | null> => {
  const [rollout, target] = await Promise.all([
    parts.record.rollouts.get(visit.rollout),
    parts.record.rollouts.target(visit.rollout, visit.cluster),
  ]);
  return rollout === null || target === null ? null : { rollout, target };
};

/** A request that our own stop cut off says nothing about the cluster. */
export const cutOffByUs = (visit: TargetVisit, outcome: { readonly kind: string }): boolean =>
  visit.signal.aborted && outcome.kind === 'Unreachable';

/** The objects that the cluster should have when this target's present work is done. */
export const desiredObjects = (parts: TargetRunnerParts, target: Target): Promise<readonly KubeObject[]> => {
  const revision = target.state === 'RollingBack' ? target.previous : target.revision;
  return revision === null ? Promise.resolve([]) : parts.bundles.load(revision.digest);
};

export const troubleEvent = (trouble: Refusal | Cutoff): TargetEvent =>
  trouble.kind === 'Refused'
    ? { type: 'Refused', reason: trouble.reason, message: trouble.message, object: trouble.object }
    : { type: 'CutOff', reason: trouble.reason, message: trouble.message };
