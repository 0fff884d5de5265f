import type { JsonObject } from '../fleet/json.ts';
import type { GatePhase, GatePolicy, InconclusivePolicy, PlannedGate } from './gate.ts';
import { gateKind } from './gate-kinds.ts';

const DEFAULTS: Omit<GatePolicy, 'count'> = {
  initialDelay: 0,
  interval: 30_000,
  failureLimit: 0,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 4,
  timeout: null,
  onInconclusive: 'wait',
};

/** What a document says of a gate beside its kind's own field. Durations in milliseconds. */
export interface GateFields {
  readonly phase?: GatePhase | undefined;
  readonly initialDelay?: number | undefined;
  readonly interval?: number | undefined;
  readonly count?: number | undefined;
  readonly failureLimit?: number | undefined;
  readonly inconclusiveLimit?: number | undefined;
  readonly consecutiveErrorLimit?: number | undefined;
  readonly timeout?: number | undefined;
  readonly onInconclusive?: InconclusivePolicy | undefined;
}

/** The gate with every default filled in: the document's words, then its kind's, then everybody's. Throws RangeError for an unknown kind. */
export const plannedGate = (name: string, kind: string, given: GateFields, spec: JsonObject): PlannedGate => {
  const known = gateKind(kind);
  if (known === null) throw new RangeError(`there is no gate kind ${kind}`);
  const phase = given.phase ?? known.phases[0];
  const { count, ...defaults } = known.defaults;
  return {
    name,
    kind,
    phase,
    policy: {
      initialDelay: given.initialDelay ?? defaults.initialDelay ?? DEFAULTS.initialDelay,
      interval: given.interval ?? defaults.interval ?? DEFAULTS.interval,
      count: given.count ?? (count !== undefined ? count : phase === 'after' ? null : 1),
      failureLimit: given.failureLimit ?? defaults.failureLimit ?? DEFAULTS.failureLimit,
      inconclusiveLimit: given.inconclusiveLimit ?? defaults.inconclusiveLimit ?? DEFAULTS.inconclusiveLimit,
      consecutiveErrorLimit:
        given.consecutiveErrorLimit ?? defaults.consecutiveErrorLimit ?? DEFAULTS.consecutiveErrorLimit,
      timeout: given.timeout ?? defaults.timeout ?? DEFAULTS.timeout,
      onInconclusive: given.onInconclusive ?? defaults.onInconclusive ?? DEFAULTS.onInconclusive,
    },
    spec,
  };
};
