import { z } from 'zod';
import { GATE_PHASES, INCONCLUSIVE_POLICIES } from '../../gates/gate.ts';
import type { GateKind } from '../../gates/gate-kind.ts';
import { GATE_KINDS } from '../../gates/gate-kinds.ts';
import { documentSchema } from './document.schema.ts';
import { refuse, says } from './field-message.ts';
import { duration, fields, name, values } from './fields.ts';

const positive = () =>
  duration().refine((milliseconds) => milliseconds > 0, says('is no time at all', 'write at least 1s'));

const workloads = () =>
  fields({
    timeout: positive().prefault('5m').describe('How long the workloads of a cluster may take to become ready.'),
    stableFor: duration().prefault('30s').describe('How long they must stay ready; starts again after a flap.'),
    failFast: z
      .union([z.literal('off'), duration()], {
        error: says('is not a duration', 'write 10s, 0s for at once, or off for only at the time-out'),
      })
      .prefault('10s')
      .describe('How long a state lasts that does not mend by itself, before the gate fails.'),
  });

const limit = () => z.int().min(0).max(10_000).optional();

const kindFields = (): Record<string, z.ZodOptional<z.ZodType>> =>
  Object.fromEntries(GATE_KINDS.map((kind) => [kind.kind, kind.schema().optional().describe(kind.description)]));

/** What every gate may say, whatever its kind is. */
const common = () => ({
  phase: z
    .enum(GATE_PHASES)
    .optional()
    .describe('before a wave starts, during (on each target), or after (while the wave soaks); default: by its kind.'),
  waves: z.array(name()).min(1).max(100).optional().describe('In which waves it applies; default: in every wave.'),
  initialDelay: duration().optional().describe('Before the first measurement.'),
  interval: positive().optional().describe('Between measurements.'),
  count: z.int().min(1).max(10_000).optional().describe('So many conclusive measurements decide.'),
  failureLimit: limit().describe('More failures than this fail the gate.'),
  inconclusiveLimit: limit().describe('More inconclusive measurements than this make the gate inconclusive.'),
  consecutiveErrorLimit: limit().describe('More failed attempts to measure in a row make the gate inconclusive.'),
  timeout: positive().optional().describe('Without a verdict for so long, the gate is inconclusive.'),
  onInconclusive: z
    .enum(INCONCLUSIVE_POLICIES)
    .optional()
    .describe('What an inconclusive gate does: wait for a person, fail, or pass.'),
});

const parameter = () => z.union([z.string().max(1000), z.number(), z.boolean()]);

const gate = () =>
  fields({
    name: name().optional().describe('Unique in the strategy; a use of a Gate document has its name by default.'),
    gate: name().optional().describe('A Gate document by name, instead of a kind.'),
    parameters: z.record(z.string(), parameter()).optional().describe("The Gate document's parameters."),
    ...common(),
    workloads: workloads().optional().describe('Every workload of the application is ready.'),
    ...kindFields(),
  });

export type ParsedGate = z.output<ReturnType<typeof gate>>;

/** Its kind's name; `workloads` is one, and `null` is a use of a Gate document. */
export const kindsIn = (parsed: Readonly<Record<string, unknown>>): readonly string[] =>
  ['workloads', ...GATE_KINDS.map(({ kind }) => kind)].filter((kind) => parsed[kind] !== undefined);

const ALL_KINDS = (): string => ['workloads', ...GATE_KINDS.map(({ kind }) => kind)].join(', ');

const checkPhase = (parsed: ParsedGate, kind: GateKind, path: (string | number)[], context: z.RefinementCtx): void => {
  if (parsed.phase !== undefined && !kind.phases.includes(parsed.phase))
    refuse(
      context,
      [...path, 'phase'],
      `a gate of kind ${kind.kind} has no phase ${parsed.phase}`,
      `write ${kind.phases.join(' or ')}`,
    );
};

const COMMON_FIELDS = Object.keys(common()) as (keyof ReturnType<typeof common>)[];

const checkGate = (parsed: ParsedGate, path: (string | number)[], context: z.RefinementCtx): void => {
  const kinds = kindsIn(parsed);
  if (parsed.gate !== undefined) {
    if (kinds.length > 0)
      refuse(context, [...path, kinds[0] ?? ''], 'stands beside gate', 'keep the Gate document or the kind');
    const own = COMMON_FIELDS.find((field) => field !== 'phase' && field !== 'waves' && parsed[field] !== undefined);
    if (own !== undefined)
      refuse(context, [...path, own], 'belongs to the Gate document', 'make it a parameter of the Gate document');
    return;
  }
  if (parsed.parameters !== undefined)
    refuse(context, [...path, 'parameters'], 'has no Gate document', 'name one with gate, or take the parameters out');
  if (parsed.name === undefined)
    refuse(context, [...path, 'name'], 'is missing', 'give the gate a name', 'MissingField');
  if (kinds.length !== 1) {
    const message = kinds.length === 0 ? 'has no kind' : `has more than one kind: ${kinds.join(', ')}`;
    refuse(context, [...path], message, `write exactly one of ${ALL_KINDS()}`);
    return;
  }
  const kind = GATE_KINDS.find((known) => known.kind === kinds[0]);
  if (kind === undefined) {
    const wrong = COMMON_FIELDS.find((field) => parsed[field] !== undefined);
    if (wrong !== undefined)
      refuse(
        context,
        [...path, wrong],
        'is not for the workloads gate',
        'take it out; see timeout and stableFor in it',
      );
    return;
  }
  checkPhase(parsed, kind, path, context);
};

export const gateList = () =>
  z
    .array(gate())
    .max(50, says('has more than 50 gates', 'merge some of them'))
    .superRefine((list, context) => {
      for (const [index, parsed] of list.entries()) checkGate(parsed, [index], context);
      const second = list.findIndex(
        (parsed, index) =>
          parsed.workloads !== undefined && list.slice(0, index).some((other) => other.workloads !== undefined),
      );
      if (second >= 0) refuse(context, [second], 'is a second workloads gate', 'keep one');
    });

/** A gate without a name, as a Gate document's template has it once its parameters are filled in. */
export const gateTemplate = () =>
  fields({ ...common(), ...kindFields() }).superRefine((parsed, context) => {
    const kinds = kindsIn(parsed);
    if (kinds.length !== 1) {
      const message = kinds.length === 0 ? 'has no kind' : `has more than one kind: ${kinds.join(', ')}`;
      refuse(context, [], message, `write exactly one of ${GATE_KINDS.map(({ kind }) => kind).join(', ')}`);
      return;
    }
    const kind = GATE_KINDS.find((known) => known.kind === kinds[0]);
    if (kind !== undefined) checkPhase(parsed as ParsedGate, kind, [], context);
  });

const PARAMETER_PATTERN = /^[a-zA-Z][a-zA-Z0-9]{0,62}$/;

const spec = fields({
  parameters: z
    .array(
      fields({
        name: z
          .string()
          .regex(PARAMETER_PATTERN, says('is not a parameter name', 'use letters and digits, a letter first'))
          .describe('Stands in the template as ${name}.'),
        default: parameter().optional().describe('Without one, every use has to say it.'),
        description: z.string().max(500).optional().describe('For whoever uses the gate.'),
      }),
    )
    .max(50)
    .default([])
    .describe('What differs between uses.'),
  template: values().describe('A gate without a name; `${parameter}` stands for a parameter, in any text.'),
});

export const gateDocumentSchema = documentSchema('Gate', spec).describe('A gate that strategies share.');
