import { type Change, CHANGE_KINDS, type ChangeKind, type Signal } from './change.ts';

/** Where a change stands to the first signal; `unrelated`: there was no signal. */
export const CHANGE_RELATIONS = ['before', 'after', 'undated', 'unrelated'] as const;
export type ChangeRelation = (typeof CHANGE_RELATIONS)[number];

export interface RankedChange extends Change {
  /** From 1: the first is the one to look at first. */
  readonly rank: number;
  readonly relation: ChangeRelation;
}

export interface Ranking {
  /** The earliest; null: nothing broke in the period. */
  readonly signal: Signal | null;
  readonly changes: readonly RankedChange[];
}

const OF_THE_CLUSTER: ReadonlySet<ChangeKind> = new Set(['edit', 'release', 'node']);

/**
 * What may have broken the signals, first. Against the earliest signal of the period:
 *
 * 1. changes of the cluster itself (edits, releases, nodes) at or before it, the nearest first;
 * 2. changes that have happened nobody can tell when;
 * 3. words (configuration, overrides, commands) at or before it, the nearest first;
 * 4. everything after it, the nearest first: it cannot have broken what was broken already.
 *
 * Without a signal: newest first, and those without a time last. Ties are settled by kind in the order of {@link CHANGE_KINDS}, then by object
 * and text, so that the same changes always come in the same order, however they were put in.
 *
 * Nearness in time is a hint and no proof, and clusters tell times in whole seconds, rounded down.
 */
export const rankChanges = (changes: readonly Change[], signals: readonly Signal[]): Ranking => {
  const signal = signals.reduce<Signal | null>(
    (first, each) => (first === null || each.at < first.at ? each : first),
    null,
  );
  const placed = changes.map((change) => ({ change, ...placeOf(change, signal) }));
  placed.sort(
    (left, right) => left.group - right.group || left.distance - right.distance || byName(left.change, right.change),
  );
  return { signal, changes: placed.map(({ change, relation }, index) => ({ ...change, rank: index + 1, relation })) };
};

interface Place {
  readonly relation: ChangeRelation;
  readonly group: number;
  readonly distance: number;
}

const placeOf = ({ at, kind }: Change, signal: Signal | null): Place => {
  if (signal === null)
    return at === null
      ? { relation: 'undated', group: 2, distance: 0 }
      : { relation: 'unrelated', group: 1, distance: -at };
  if (at === null) return { relation: 'undated', group: 2, distance: 0 };
  if (at > signal.at) return { relation: 'after', group: 4, distance: at - signal.at };
  return { relation: 'before', group: OF_THE_CLUSTER.has(kind) ? 1 : 3, distance: signal.at - at };
};

const byName = (left: Change, right: Change): number =>
  CHANGE_KINDS.indexOf(left.kind) - CHANGE_KINDS.indexOf(right.kind) ||
  order(left.object ?? '', right.object ?? '') ||
  order(left.what, right.what) ||
  order(left.by, right.by);

const order = (left: string, right: string): number => (left === right ? 0 : left < right ? -1 : 1);
