import type { KubeObject, ObjectKey } from '../kubernetes/object.ts';
import { assessObject, ownRuleOf } from './assess-object.ts';
import type { OwnRules } from './assess-object.ts';
import { oneLine } from './evidence-text.ts';
import type { FailFast } from './explain-pod.ts';
import { failing } from './object-health.ts';
import type { HealthStatus, ObjectHealth } from './object-health.ts';
import { isMissing, observedKey } from './observed-key.ts';
import type { MissingObject } from './observed-key.ts';
import { FAILED_BY_RULE } from './own-rules.ts';
import { evidenceFor, indexEvidence } from './pod-evidence.ts';
import type { EvidenceIndex } from './pod-evidence.ts';

export interface ObservedWorkloads {
  /** The live objects of the inventory. */
  readonly objects: readonly (KubeObject | MissingObject)[];
  /** Everything of these kinds in the namespaces that `evidenceKinds` names; what belongs to nobody here is ignored. */
  readonly pods: readonly KubeObject[];
  readonly replicaSets: readonly KubeObject[];
  readonly events: readonly KubeObject[];
  /** Epoch milliseconds. */
  readonly now: number;
  /** For kinds of the user, which are judged by their conditions without. */
  readonly rules?: OwnRules;
}

/** The health of each object before the first write of a rollout; objects that did not exist are left out. */
export type HealthBaseline = Readonly<Record<string, HealthStatus>>;

export interface AssessedObject extends ObjectHealth {
  readonly key: ObjectKey;
  /** It was ill before, and the release leaves it as it is: reported, not blamed. */
  readonly excused?: true;
  readonly missing?: true;
}

export type HealthVerdict = 'Healthy' | 'Progressing' | 'Failing';

export interface HealthReport {
  readonly verdict: HealthVerdict;
  readonly objects: readonly AssessedObject[];
  /** A state of an object that does not mend by itself; whether it has lasted long enough is the gate's to decide. */
  readonly failFast: FailFast | null;
  /** What keeps the verdict from being better, in one line. */
  readonly worst: { readonly object: ObjectKey; readonly evidence: string } | null;
  readonly excused: readonly ObjectKey[];
}

interface Judged {
  readonly object: AssessedObject;
  readonly evidence: string;
  readonly failFast: FailFast | null;
}

/**
 * Judges an application on a cluster. Never throws, whatever the objects look like.
 *
 * @param baseline from {@link baselineOf}, taken before the first write; without it nothing is excused
 * @param changed keys that the release creates or changes: they have to become healthy, however they were;
 *   left out: everything does
 */
export const assessWorkloads = (
  observed: ObservedWorkloads,
  baseline: HealthBaseline = {},
  changed?: ReadonlySet<string>,
): HealthReport => {
  const index = indexEvidence(observed.pods, observed.replicaSets, observed.events);
  const judged = observed.objects.map((object) => excuse(judge(object, observed, index), baseline, changed));
  const blamed = judged.filter(({ object }) => object.excused !== true && object.status !== 'Healthy');
  const bySeverity = [...blamed].sort((a, b) => severity(b) - severity(a));
  const [worst] = bySeverity;
  return {
    verdict: worst === undefined ? 'Healthy' : verdictOf(blamed),
    objects: judged.map(({ object }) => object),
    failFast: bySeverity.find(({ failFast }) => failFast !== null)?.failFast ?? null,
    worst: worst === undefined ? null : { object: worst.object.key, evidence: worst.evidence },
    excused: judged.filter(({ object }) => object.excused === true).map(({ object }) => object.key),
  };
};

/** What {@link assessWorkloads} needs to know later about the state before a rollout; plain data for the record. */
export const baselineOf = (report: HealthReport): HealthBaseline =>
  Object.fromEntries(report.objects.filter(({ missing }) => missing !== true).map(({ key, status }) => [key, status]));

const judge = (object: KubeObject | MissingObject, observed: ObservedWorkloads, index: EvidenceIndex): Judged => {
  if (isMissing(object)) {
    const health = failing('Missing', 'the object is not in the cluster');
    return { object: { key: object.missing, ...health, missing: true }, evidence: health.message, failFast: null };
  }
  const key = observedKey(object);
  const { pods, events, rules } = observed;
  const health = assessObject(object, observed.now, { pods, events, ...(rules === undefined ? {} : { rules }) });
  if (health.status === 'Healthy' || health.status === 'Terminating') {
    return { object: { key, ...health }, evidence: health.message, failFast: null };
  }
  const { line, failFast } = evidenceFor(object, index);
  const message = line === null || line.includes(health.message) ? health.message : `${health.message}: ${line}`;
  const full = oneLine(message);
  const judged = { object: { key, ...health, message: full }, evidence: line ?? health.message, failFast };
  if (ownRuleOf(object, rules) === undefined) return judged;
  // What the rule says comes first: an event may be about something else.
  const failed = health.reason === FAILED_BY_RULE ? { object: key, reason: health.reason, message: full } : null;
  return { ...judged, evidence: full, failFast: failFast ?? failed };
};

const excuse = (judged: Judged, baseline: HealthBaseline, changed: ReadonlySet<string> | undefined): Judged => {
  const { key, status, missing } = judged.object;
  const before = Object.hasOwn(baseline, key) ? baseline[key] : undefined;
  const wasIll = before !== undefined && before !== 'Healthy';
  const unchanged = changed !== undefined && !changed.has(key);
  // What is gone was not merely ill: somebody deleted it since.
  const excused = status !== 'Healthy' && missing !== true && wasIll && unchanged;
  return excused ? { ...judged, object: { ...judged.object, excused: true } } : judged;
};

const SEVERITY: Readonly<Record<HealthStatus, number>> = {
  Healthy: 0,
  Progressing: 1,
  Terminating: 2,
  Unknown: 3,
  Failing: 4,
};

/** What does not mend ranks above what may. */
const severity = ({ object, failFast }: Judged): number => SEVERITY[object.status] + (failFast === null ? 0 : 5);

const verdictOf = (blamed: readonly Judged[]): HealthVerdict =>
  blamed.some(({ object }) => object.status === 'Failing') ? 'Failing' : 'Progressing';
