import type { GateReference, JsonObject, JsonValue, StrategyGate, WorkloadsGate } from '../fleet/index.ts';
import { isJsonObject } from '../fleet/index.ts';
import { plannedGate } from '../gates/planned-gate.ts';
import { kindsIn, type ParsedGate } from './schema/gate.schema.ts';
import type { ParsedDocument } from './schema/schemas.ts';

export const DEFAULT_WORKLOADS: WorkloadsGate = {
  name: 'workloads-ready',
  timeout: 300_000,
  stableFor: 30_000,
  failFast: 10_000,
};

export interface GatesOfStrategy {
  readonly workloads: WorkloadsGate;
  readonly gates: readonly StrategyGate[];
  readonly gateReferences: readonly GateReference[];
}

type ParsedStrategy = ParsedDocument['Strategy']['spec'];

interface Placed {
  readonly parsed: ParsedGate;
  readonly waves: readonly string[] | null;
  readonly path: readonly (string | number)[];
}

/** The gates of the strategy and of its waves in one list. */
const placedGates = (spec: ParsedStrategy): readonly Placed[] => [
  ...spec.gates.map((parsed, index) => ({ parsed, waves: parsed.waves ?? null, path: ['spec', 'gates', index] })),
  ...spec.waves.flatMap((wave, at) =>
    (wave.gates ?? []).map((parsed, index) => ({
      parsed,
      waves: [wave.name],
      path: ['spec', 'waves', at, 'gates', index],
    })),
  ),
];

/** The schema has made plain JSON of it. */
const specOf = (parsed: Readonly<Record<string, unknown>>, kind: string): JsonObject => parsed[kind] as JsonObject;

export const strategyGate = (
  name: string,
  parsed: Readonly<Record<string, unknown>>,
  waves: readonly string[] | null,
): StrategyGate | null => {
  const [kind] = kindsIn(parsed);
  if (kind === undefined || kind === 'workloads') return null;
  return { ...plannedGate(name, kind, parsed, specOf(parsed, kind)), waves };
};

const reference = ({ parsed, waves, path }: Placed): readonly GateReference[] =>
  parsed.gate === undefined
    ? []
    : [
        {
          gate: parsed.gate,
          name: parsed.name ?? null,
          phase: parsed.phase ?? null,
          waves,
          parameters: parsed.parameters ?? {},
          path,
        },
      ];

export const gatesOfStrategy = (spec: ParsedStrategy): GatesOfStrategy => {
  const placed = placedGates(spec);
  const own = placed.find(({ parsed }) => parsed.workloads !== undefined)?.parsed;
  const approvals = spec.waves.flatMap((wave) =>
    wave.approval === undefined ? [] : [strategyGate('approval', { approval: wave.approval }, [wave.name])],
  );
  const gates = placed.map(({ parsed, waves }) => strategyGate(parsed.name ?? '', parsed, waves));
  return {
    workloads:
      own?.workloads === undefined ? DEFAULT_WORKLOADS : { name: own.name ?? DEFAULT_WORKLOADS.name, ...own.workloads },
    gates: [...approvals, ...gates].filter((gate) => gate !== null),
    gateReferences: placed.flatMap(reference),
  };
};

const PLACEHOLDER = /\$\{([a-zA-Z][a-zA-Z0-9]{0,62})\}/g;

/** Names of the parameters that a template mentions. */
export const placeholdersIn = (value: JsonValue): readonly string[] => {
  if (typeof value === 'string') return [...value.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
  if (Array.isArray(value)) return value.flatMap((item: JsonValue) => placeholdersIn(item));
  return isJsonObject(value) ? Object.values(value).flatMap((item) => placeholdersIn(item)) : [];
};

/** A text that is one placeholder takes the parameter's own type; inside of a longer text it becomes text. */
export const fillIn = (
  value: JsonValue,
  parameters: Readonly<Record<string, string | number | boolean>>,
): JsonValue => {
  if (typeof value === 'string') {
    const whole = /^\$\{([a-zA-Z][a-zA-Z0-9]{0,62})\}$/.exec(value)?.[1];
    if (whole !== undefined) return parameters[whole] ?? value;
    return value.replaceAll(PLACEHOLDER, (text, name: string) => String(parameters[name] ?? text));
  }
  if (Array.isArray(value)) return value.map((item: JsonValue) => fillIn(item, parameters));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillIn(item, parameters)]));
};
