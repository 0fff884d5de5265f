import type { Measurement } from '../gate.ts';
import type { ClusterSegments, CohortChange } from './cohorts.ts';
import { cohortChange, isComparable } from './cohorts.ts';
import { studentQuantile, studentTail } from './student-t.ts';

export interface ComparisonRules {
  readonly direction: 'higher-is-worse' | 'lower-is-worse';
  /** Worse by less than this factor is never a failure. */
  readonly tolerance: number;
  /** An absolute change of less than this is never a failure. */
  readonly negligible: number;
  /** The chance of a false halt, over all measurements of a gate together. */
  readonly falseAlarms: number;
  /** Without an untouched cluster: compare with the own past alone, or say nothing. */
  readonly without: 'past' | 'inconclusive';
  /** Segments of the own past that are used. */
  readonly past: number;
}

export interface ComparisonInput {
  readonly clusters: readonly ClusterSegments[];
  /** Updated clusters for most of whose samples now the metric is zero. */
  readonly sparse: ReadonlySet<string>;
  /** See {@link lookNumber}. */
  readonly look: number;
}

export type Compared = Pick<Measurement, 'evidence'> & { readonly verdict: 'Success' | 'Failure' | 'Inconclusive' };

/** How sure a success is that twice the tolerated change is not there. */
const DOUBT = 0.05;
const NAMED = 5;

/** Looks that count as different ones in the time of one window: those that see mostly the same samples say mostly the same. */
const LOOKS_IN_WINDOW = 3;

/** From 1: how many looks that differ a gate has had, `elapsed` after its first one. */
export const lookNumber = (elapsed: number, window: number): number =>
  1 + Math.floor((LOOKS_IN_WINDOW * Math.max(0, elapsed)) / window);

/**
 * What one look may spend of `falseAlarms`: 1/2, 1/6, 1/12 … These shares add up to one, so that however long a gate looks, it raises no
 * more false alarms than that.
 */
export const shareOfLook = (look: number): number => 1 / (look * (look + 1));

/** A one-sided t-test of the difference in differences, together with a least effect; see {@link cohortChange}. */
export const compareCohorts = (input: ComparisonInput, rules: ComparisonRules): Compared => {
  const dark = input.clusters.filter((cluster) => cluster.cohort === 'updated' && !isComparable(cluster));
  const comparable = input.clusters.filter(isComparable);
  const updated = comparable.filter((cluster) => cluster.cohort === 'updated');
  if (updated.length === 0) {
    return inconclusive(dark.length === 0 ? 'no cluster of this wave is updated' : `no data: ${missing(dark)}`);
  }
  if (comparable.some((cluster) => cluster.values.some((value) => value !== null && value < 0))) {
    return inconclusive('the metric has negative values: these have no ratio to their past');
  }
  const change = cohortChange(comparable, rules.past);
  if (change.untouched === 0 && rules.without === 'inconclusive') {
    return inconclusive('no untouched cluster with data is left to compare with');
  }
  const judged = judge(
    change,
    rules,
    input.look,
    updated.every((cluster) => input.sparse.has(cluster.cluster)),
  );
  if (judged.verdict === 'Failure' || dark.length === 0) return judged;
  return inconclusive(`no data: ${missing(dark)}; of the others: ${judged.evidence}`);
};

const judge = (change: CohortChange, rules: ComparisonRules, look: number, sparse: boolean): Compared => {
  const worse = rules.direction === 'higher-is-worse' ? 1 : -1;
  const effect = worse * change.effect;
  const probability = studentTail(effect / change.error, change.degrees);
  const figures = describeChange(change, probability);
  const increase = worse * (change.updatedMean - change.expectedMean);
  const tooMuch = effect >= Math.log(rules.tolerance);
  if (rules.negligible > 0 && increase < rules.negligible) return { verdict: 'Success', evidence: figures };
  if (tooMuch && sparse) return inconclusive(`${figures}, but most of its samples are zero`);
  if (tooMuch && probability < rules.falseAlarms * shareOfLook(look)) return { verdict: 'Failure', evidence: figures };
  if (tooMuch) return inconclusive(`${figures}: that may be chance`);
  const ruledOut = 1 + 2 * (rules.tolerance - 1);
  const highest = Math.exp(effect + studentQuantile(DOUBT, change.degrees) * change.error);
  if (highest >= ruledOut) {
    return inconclusive(`${figures}: too noisy to rule out ${factor(ruledOut)}, it may be up to ${factor(highest)}`);
  }
  return { verdict: 'Success', evidence: figures };
};

const inconclusive = (evidence: string): Compared => ({ verdict: 'Inconclusive', evidence });

const missing = (dark: readonly ClusterSegments[]): string => {
  const names = dark.slice(0, NAMED).map(({ cluster }) => cluster);
  const more = dark.length > NAMED ? ` and ${dark.length - NAMED} more` : '';
  return `too few samples of ${names.join(', ')}${more}`;
};

const figure = (value: number): string => String(Number(value.toPrecision(3)));
const factor = (value: number): string => `${figure(value)}x`;
const clusters = (count: number, which: string): string => `${count} ${which} cluster${count === 1 ? '' : 's'}`;

/** `0.041 on 2 updated clusters, 2.1x their own past; 0.019 on 9 untouched clusters, 1.02x (one-sided t-test …, p = 0.0002)`. */
export const describeChange = (change: CohortChange, probability: number): string => {
  const shown = probability < 0.0001 ? 'p < 0.0001' : `p = ${figure(probability)}`;
  const own = `${figure(change.updatedMean)} on ${clusters(change.updated, 'updated')}, ${factor(change.ownChange)} their own past`;
  const against =
    change.untouchedMean === null || change.untouchedChange === null
      ? 'no untouched cluster to compare with'
      : `${figure(change.untouchedMean)} on ${clusters(change.untouched, 'untouched')}, ${factor(change.untouchedChange)}`;
  return `${own}; ${against} (one-sided t-test of the changes, ${shown})`;
};
