import { z } from 'zod';
import { compileExpression } from '../../cel/index.ts';
import { says } from '../../documents/schema/field-message.ts';
import { duration, fields, name } from '../../documents/schema/fields.ts';
import type { GateKind } from '../gate-kind.ts';

/** What conditions may look at: one number, where there is exactly one series; and all series. */
export const METRIC_VARIABLES = { result: 'double', results: 'list' } as const;

/** A server's address, without its API's path; templates may stand in it. */
export const serverAddress = (what: string) =>
  z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, says('is not an address', `write ${what}`));

export const gateAuth = () =>
  fields({ secret: name().describe("Name of a secret of the hub's gates; sent as a bearer token, over https only.") });

const condition = () =>
  z.string().superRefine((source, context) => {
    const compiled = compileExpression(source, { variables: METRIC_VARIABLES, result: 'bool' });
    if (compiled.ok) return;
    context.addIssue({
      code: 'custom',
      message: says(`is not a condition: ${compiled.error.message}`, compiled.error.remedy),
    });
  });

const spec = () =>
  fields({
    address: serverAddress('the address of a Prometheus such as https://prometheus.example.com').describe(
      'Where a Prometheus answers; its host must be allowed by whoever runs the hub.',
    ),
    query: z.string().min(1).max(8192).describe('PromQL, asked as an instant query.'),
    success: condition()
      .optional()
      .describe('CEL over result (a number) and results (a list of labels and value): what is good.'),
    failure: condition().optional().describe('CEL, as success: what is bad.'),
    auth: gateAuth().optional(),
    timeout: duration().prefault('10s').describe('An answer that takes longer is an error.'),
  }).refine((gate) => gate.success !== undefined || gate.failure !== undefined, {
    message: says('has no condition', 'write success, failure or both'),
  });

export type PrometheusSpec = z.output<ReturnType<typeof spec>>;

export const prometheusGate: GateKind = {
  kind: 'prometheus',
  description: 'A query to Prometheus, judged by conditions in CEL.',
  schema: spec,
  phases: ['after', 'during', 'before'],
  defaults: {
    interval: 30_000,
    failureLimit: 0,
    inconclusiveLimit: 3,
    consecutiveErrorLimit: 4,
    onInconclusive: 'wait',
  },
};
