import { z } from 'zod';
import { compileExpression } from '../../cel/index.ts';
import { refuse, says } from '../../documents/schema/field-message.ts';
import { duration, fields, name } from '../../documents/schema/fields.ts';
import type { GateKind } from '../gate-kind.ts';
import { gateAuth } from './prometheus.ts';

/** All attempts of one measurement together; a probe answers within 30 s, and clusters are asked side by side. */
const ATTEMPTS_TIME = 20_000;
const RANGE = /^([1-5]\d\d)-([1-5]\d\d)$/;

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

const STATUS_RULE = says('is not a status', 'write a status such as 200, or a range such as "200-299"');

const status = () =>
  z.union(
    [z.int(STATUS_RULE).min(100, STATUS_RULE).max(599, STATUS_RULE), z.string(STATUS_RULE).regex(RANGE, STATUS_RULE)],
    {
      error: STATUS_RULE,
    },
  );

const rangeOf = (given: number | string): StatusRange => {
  if (typeof given === 'number') return { from: given, to: given };
  const [, from = '', to = ''] = RANGE.exec(given) ?? [];
  return { from: Number(from), to: Number(to) };
};

const BODY_VARIABLES = { body: 'string', pattern: 'string' } as const;

/** RE2, bounded in steps: does the pattern occur in the body? */
export const bodyMatches = (
  body: string,
  pattern: string,
): { readonly ok: true; readonly matches: boolean } | { readonly ok: false; readonly problem: string } => {
  const compiled = compileExpression('body.matches(pattern)', { variables: BODY_VARIABLES, result: 'bool' });
  if (!compiled.ok) return { ok: false, problem: compiled.error.message };
  const evaluated = compiled.expression.evaluate({ body, pattern });
  if (evaluated.ok) return { ok: true, matches: evaluated.value };
  const costly = evaluated.error.code === 'TooExpensive';
  return { ok: false, problem: costly ? 'it costs too much on a body of this length' : evaluated.error.message };
};

const pattern = () =>
  z
    .string()
    .min(1)
    .max(512)
    .superRefine((source, context) => {
      const tried = bodyMatches('', source);
      if (!tried.ok)
        refuse(context, [], `is not a pattern: ${tried.problem}`, 'write a regular expression in RE2 syntax');
    });

const LATENCY = /^([1-9]\d{0,5})(ms|s)$/;

/** Finer than durations elsewhere; milliseconds in the model. */
const latency = () =>
  z
    .string()
    .regex(LATENCY, says('is not a latency', 'write it such as 300ms or 2s'))
    .transform((text) => {
      const [, number = '', unit] = LATENCY.exec(text) ?? [];
      return Number(number) * (unit === 's' ? 1_000 : 1);
    });

/** What is asked for below a host: nothing that climbs out of it. */
const path = () =>
  z
    .string()
    .max(1024)
    .regex(/^\/[^\s#\\]*$/, says('is not a path', 'write it from the root, such as /healthz'));

const service = () =>
  fields({
    name: name().describe('A Service of each cluster, asked through its API server.'),
    port: z
      .union([z.int().min(1).max(65_535), z.string().regex(/^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/)])
      .describe("Number or name of the Service's port."),
    path: path().default('/'),
    scheme: z.enum(['http', 'https']).default('http'),
    namespace: name().optional().describe("Default: the application's."),
  });

const spec = () =>
  fields({
    url: z
      .string()
      .max(2048)
      .regex(
        /^https?:\/\/[^\s/?#@\\]+(\/[^\s#\\]*)?$/,
        says('is not an address', 'write one such as https://{cluster}.example.com/healthz'),
      )
      .optional()
      .describe('What is asked, with templates; its host must be allowed by whoever runs the hub.'),
    service: service().optional(),
    method: z.enum(['GET', 'HEAD']).default('GET'),
    expectStatus: z
      .array(status())
      .min(1)
      .max(20)
      .default(['200-299'])
      .transform((given) => given.map(rangeOf))
      .describe('Answers with one of these are good; redirects are not followed.'),
    bodyMatches: pattern().optional().describe('RE2 that has to occur in the body, which is at most 1 MiB.'),
    maxLatency: latency().optional().describe('A slower answer is a failure.'),
    timeout: duration().prefault('5s').describe('No answer within this is a failure.'),
    attempts: fields({
      count: z.int().min(1).max(50).default(1),
      maxFailures: z.int().min(0).max(49).default(0),
    })
      .prefault({})
      .describe('One measurement asks each target so many times, and forgives so many failures.'),
    auth: gateAuth().optional(),
  }).superRefine((gate, context) => {
    if ((gate.url === undefined) === (gate.service === undefined)) {
      refuse(context, [], 'has to ask one thing', 'write either url or service');
    }
    if (gate.service !== undefined && gate.method === 'HEAD') {
      // An answer without a body cannot be told from one of the API server itself.
      refuse(context, ['method'], 'does not go with service', 'use GET');
    }
    if (gate.service !== undefined && gate.auth !== undefined) {
      refuse(context, ['auth'], 'does not go with service', 'leave it out: the API server does not pass it on');
    }
    if (gate.method === 'HEAD' && gate.bodyMatches !== undefined) {
      refuse(context, ['bodyMatches'], 'does not go with HEAD', 'use GET');
    }
    if (gate.expectStatus.some(({ from, to }) => from > to)) {
      refuse(context, ['expectStatus'], 'has a range that is empty', 'write the smaller status first');
    }
    if (gate.attempts.maxFailures >= gate.attempts.count) {
      refuse(context, ['attempts', 'maxFailures'], 'lets everything pass', 'make it less than count');
    }
    if (gate.timeout * gate.attempts.count > ATTEMPTS_TIME) {
      refuse(context, ['timeout'], 'is too long for so many attempts', 'timeout times attempts.count is at most 20s');
    }
  });

export type HttpSpec = z.output<ReturnType<typeof spec>>;

export const httpGate: GateKind = {
  kind: 'http',
  description: 'Black-box probes: status, body and latency of an address, or of a Service of each cluster.',
  schema: spec,
  phases: ['during', 'after', 'before'],
  defaults: {
    interval: 10_000,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    onInconclusive: 'wait',
  },
};
