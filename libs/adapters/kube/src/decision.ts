import type { ApplyPolicy, KubeObject } from '@breakwater/domain';
import { APPLICATION_LABEL, DIGEST_ANNOTATION } from './apply-body.ts';
import type { FenceEntry } from './fence.ts';
import { fieldsDigestOf } from './managed-fields.ts';
import { isDefault } from './namespace-defaults.ts';
import type { Wanted } from './wanted.ts';
import { isJob, isNamespace } from './wanted.ts';

/** What is to be done with one object of the bundle, given what is live. */
export type Decision =
  | { readonly kind: 'Unchanged' }
  /** A namespace that was there before us: used, neither written nor owned. */
  | { readonly kind: 'Used' }
  /** A Job that has run, and is not run again: remembered in the inventory, absent from the cluster. */
  | { readonly kind: 'HasRun' }
  | { readonly kind: 'Create' }
  | { readonly kind: 'Update'; readonly adopts: boolean }
  /** On its way out: created again when it is gone. */
  | { readonly kind: 'Recreate' }
  /** Jobs cannot be changed: deleted, awaited, created. */
  | { readonly kind: 'ReplaceJob' }
  /** The Job of the revision that is taken back: stopped, and the former one is not run again. */
  | { readonly kind: 'StopJob' }
  | { readonly kind: 'Foreign'; readonly application: string }
  | { readonly kind: 'NotAdopted' }
  | { readonly kind: 'Terminating' };

export interface DecisionContext {
  readonly application: string;
  readonly mode: 'forward' | 'rollback';
  readonly policy: Pick<ApplyPolicy, 'adopt' | 'namespace'>;
  /** Namespaces that this rollout makes, or has made. */
  readonly made: ReadonlySet<string>;
}

export const isWrite = (decision: Decision): boolean => {
  switch (decision.kind) {
    case 'Create':
    case 'Update':
    case 'Recreate':
    case 'ReplaceJob':
    case 'StopJob':
      return true;
    case 'Unchanged':
    case 'Used':
    case 'HasRun':
    case 'Foreign':
    case 'NotAdopted':
    case 'Terminating':
      return false;
  }
};

/** There is nothing left to do for it. */
export const isSettled = (decision: Decision): boolean =>
  decision.kind === 'Unchanged' || decision.kind === 'Used' || decision.kind === 'HasRun';

/**
 * Ours is what the inventory has: by uid, or, while only written ahead, by our label. A label alone proves nothing: people copy
 * manifests.
 */
export const isOurObject = (live: KubeObject, entry: FenceEntry | undefined, application: string): boolean =>
  entry !== undefined && (live.metadata.uid === entry.uid || live.metadata.labels?.[APPLICATION_LABEL] === application);

/** Nobody has touched what we own since we wrote exactly this. */
const isUnchanged = (wanted: Wanted, live: KubeObject, entry: FenceEntry): boolean =>
  live.metadata.annotations?.[DIGEST_ANNOTATION] === wanted.digest &&
  live.metadata.uid === entry.uid &&
  entry.fieldsDigest !== null &&
  entry.fieldsDigest === fieldsDigestOf(live, wanted.ignored);

const decideJob = (
  wanted: Wanted,
  live: KubeObject | null,
  entry: FenceEntry | undefined,
  mode: DecisionContext['mode'],
): Decision => {
  if (live === null) {
    return mode === 'rollback' || entry?.objectDigest === wanted.digest ? { kind: 'HasRun' } : { kind: 'Create' };
  }
  if (live.metadata.annotations?.[DIGEST_ANNOTATION] === wanted.digest) return { kind: 'Unchanged' };
  return mode === 'rollback' ? { kind: 'StopJob' } : { kind: 'ReplaceJob' };
};

export const decide = (
  wanted: Wanted,
  live: KubeObject | null,
  entry: FenceEntry | undefined,
  context: DecisionContext,
): Decision => {
  if (live === null) return isJob(wanted.place) ? decideJob(wanted, null, entry, context.mode) : { kind: 'Create' };
  const owner = live.metadata.labels?.[APPLICATION_LABEL];
  const ours = isOurObject(live, entry, context.application);
  const applicationsNamespace = isNamespace(wanted.place) && wanted.place.name === context.policy.namespace;
  if (isNamespace(wanted.place) && live.metadata.deletionTimestamp !== undefined) return { kind: 'Terminating' };
  if (!ours && applicationsNamespace && (wanted.implied || context.policy.adopt === 'refuse')) return { kind: 'Used' };
  if (owner !== undefined && owner !== context.application) return { kind: 'Foreign', application: owner };
  const free = isDefault(live) && context.made.has(wanted.place.namespace);
  if (!ours && context.policy.adopt === 'refuse' && !free) return { kind: 'NotAdopted' };
  if (live.metadata.deletionTimestamp !== undefined) return { kind: 'Recreate' };
  if (ours && isJob(wanted.place)) return decideJob(wanted, live, entry, context.mode);
  if (ours && entry !== undefined && isUnchanged(wanted, live, entry)) return { kind: 'Unchanged' };
  return { kind: 'Update', adopts: !ours };
};
