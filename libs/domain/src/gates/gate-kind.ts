import type { z } from 'zod';
import type { JsonObject } from '../fleet/json.ts';
import type { Instant, Rollout, Wave } from '../rollout/rollout.ts';
import type { GatePhase, GatePolicy, Measurement } from './gate.ts';

/** What a kind that needs nothing from outside may look at. */
export interface GateSurroundings {
  readonly rollout: Rollout;
  readonly wave: Wave;
  readonly now: Instant;
}

/**
 * One kind of gate: its field in fleet documents, and how careful it is by default. Everything that needs the outside is measured by the
 * probe of the same kind (libs/adapters/gates); a kind with `judge` is decided here, and has no probe.
 */
export interface GateKind {
  /** The field under which it stands in a gate: `prometheus: { … }`. */
  readonly kind: string;
  /** One sentence for the reference. */
  readonly description: string;
  /** Of its field, strict; durations become milliseconds, and defaults are filled in. The output is plain JSON. */
  readonly schema: () => z.ZodType;
  /** In which phases it makes sense; the first is the default. */
  readonly phases: readonly [GatePhase, ...GatePhase[]];
  readonly defaults: Partial<GatePolicy>;
  readonly judge?: (spec: JsonObject, surroundings: GateSurroundings) => Measurement;
}
