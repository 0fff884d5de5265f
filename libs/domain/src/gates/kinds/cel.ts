import { z } from 'zod';
import { compileExpression } from '../../cel/index.ts';
import type { VariableType } from '../../cel/index.ts';
import { refuse, says } from '../../documents/schema/field-message.ts';
import { fields, labelKey } from '../../documents/schema/fields.ts';
import type { GateKind } from '../gate-kind.ts';

/** What no variable can be called in CEL. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var void while ' +
    'all exists filter map has size dyn int uint double bool string bytes list type timestamp duration metered'
  ).split(' '),
);

const API_VERSION = /^([a-z0-9][a-z0-9.-]{0,251}\/)?v[a-z0-9]{1,62}$/;
/** Names with templates in them; what comes out is looked at again when it is asked for. */
const NAME = /^[A-Za-z0-9{][A-Za-z0-9.:_{}-]{0,252}$/;
const LABEL_VALUE = /^[A-Za-z0-9._{}-]{0,63}$/;

const objects = () =>
  fields({
    apiVersion: z.string().regex(API_VERSION, says('is not an API version', 'write one such as apps/v1')),
    kind: z.string().regex(/^[A-Z][A-Za-z0-9]{0,62}$/, says('is not a kind', 'write one such as Deployment')),
    name: z
      .string()
      .regex(NAME, says('is not a name', 'write the name of an object; templates may stand in it'))
      .optional()
      .describe('One object; without a name, all that labels select.'),
    namespace: z
      .string()
      .regex(NAME, says('is not a namespace', 'write the name of one; templates may stand in it'))
      .optional()
      .describe("Default: the application's."),
    labels: z
      .record(labelKey(), z.string().regex(LABEL_VALUE, says('is not a label value', 'templates may stand in it')))
      .optional(),
    as: z
      .string()
      .regex(
        /^[a-z][A-Za-z0-9]{0,30}$/,
        says('is not a name for an expression', 'write letters and digits, such as web'),
      )
      .refine((text) => !RESERVED.has(text), says('is a word of CEL', 'call it otherwise'))
      .optional()
      .describe('What the conditions call it; default: object with a name, objects (a list) without.'),
    optional: z.boolean().default(false).describe('An object that is not there is null; otherwise it is inconclusive.'),
  }).superRefine((entry, context) => {
    if (entry.apiVersion === 'v1' && entry.kind === 'Secret') {
      refuse(context, ['kind'], 'is not read for gates', 'look at something that is not secret');
    }
    if (entry.name !== undefined && entry.labels !== undefined) {
      refuse(context, ['labels'], 'do not go with a name', 'write one of them');
    }
  });

export type CelObject = z.output<ReturnType<typeof objects>>;

export const celName = (entry: CelObject): string => entry.as ?? (entry.name === undefined ? 'objects' : 'object');

export const celVariables = (entries: readonly CelObject[]): Readonly<Record<string, VariableType>> =>
  Object.fromEntries(entries.map((entry) => [celName(entry), entry.name === undefined ? 'list' : 'dyn']));

const spec = () =>
  fields({
    objects: z.array(objects()).min(1).max(10).describe('What is read in each cluster; of each at most 500.'),
    success: z.string().optional().describe('CEL over the objects: what is good.'),
    failure: z.string().optional().describe('CEL, as success: what is bad.'),
  }).superRefine((gate, context) => {
    const names = gate.objects.map(celName);
    names.forEach((name, index) => {
      if (names.indexOf(name) < index) {
        refuse(
          context,
          ['objects', index, 'as'],
          `is ${name}, as another one is`,
          'give each object a name of its own',
        );
      }
    });
    if (gate.success === undefined && gate.failure === undefined) {
      refuse(context, [], 'has no condition', 'write success, failure or both');
    }
    // CEL does not bear a variable of such a name, and what is wrong has been said.
    if (names.some((name) => RESERVED.has(name))) return;
    for (const field of ['success', 'failure'] as const) {
      const source = gate[field];
      if (source === undefined) continue;
      const compiled = compileExpression(source, { variables: celVariables(gate.objects), result: 'bool' });
      if (compiled.ok) continue;
      const { message, position, remedy } = compiled.error;
      const at = position === undefined ? '' : ` (line ${position.line}, column ${position.column})`;
      refuse(context, [field], `is not a condition: ${message}${at}`, remedy);
    }
  });

export type CelSpec = z.output<ReturnType<typeof spec>>;

export const celGate: GateKind = {
  kind: 'cel',
  description: 'Conditions in CEL over live objects of each cluster.',
  schema: spec,
  phases: ['during', 'after', 'before'],
  defaults: {
    interval: 10_000,
    failureLimit: 0,
    inconclusiveLimit: 12,
    consecutiveErrorLimit: 4,
    onInconclusive: 'wait',
  },
};
