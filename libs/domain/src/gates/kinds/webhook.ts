import { z } from 'zod';
import { says } from '../../documents/schema/field-message.ts';
import { duration, fields, name } from '../../documents/schema/fields.ts';
import { oneLine } from '../../health/evidence-text.ts';
import type { GateKind } from '../gate-kind.ts';
import type { Measurement } from '../gate.ts';

const DATA_LENGTH = 8_192;

const spec = () =>
  fields({
    url: z
      .string()
      .max(2048)
      .regex(
        /^https?:\/\/[^\s/?#@\\]+(\/[^\s#\\]*)?$/,
        says('is not an address', 'write one such as https://gates.example.com/ask'),
      )
      .refine(
        (url) => !/\{(cluster|region)\}/.test(url),
        says('asks for one cluster', 'the clusters stand in the request'),
      )
      .describe(
        'Asked with POST; its host must be allowed by whoever runs the hub, and it is https but on the same machine.',
      ),
    secret: name().describe("Name of a secret of the hub's gates: the key of the signatures, and never sent."),
    unsignedAnswers: z.boolean().default(false).describe('Takes answers that carry no signature.'),
    data: z
      .record(z.string(), z.json())
      .refine((data) => JSON.stringify(data).length <= DATA_LENGTH, says('is too long', 'write at most 8 KiB'))
      .optional()
      .describe('Sent along as it is.'),
    timeout: duration()
      .refine(
        (time) => time <= 20_000,
        says('is too long', 'write at most 20s, and answer "wait" or "later" where it takes longer'),
      )
      .prefault('10s')
      .describe('An answer that takes longer is an error.'),
    askAgain: duration().prefault('10s').describe('After the answer "wait".'),
  });

export type WebhookSpec = z.output<ReturnType<typeof spec>>;

/** What ends a question, whether it is said at once, when asked again, or by call-back. */
export const WEBHOOK_VERDICTS = ['pass', 'fail', 'inconclusive'] as const;
export type WebhookVerdict = (typeof WEBHOOK_VERDICTS)[number];

const MEASURED = { pass: 'Success', fail: 'Failure', inconclusive: 'Inconclusive' } as const;

/**
 * An answer as a measurement.
 *
 * @param question how many were answered before it; the next one has a token of its own
 */
export const webhookMeasurement = (
  verdict: WebhookVerdict,
  said: string,
  question: number,
  how: 'asked' | 'called back',
): Measurement => {
  const answer = `the answer is ${verdict}${how === 'asked' ? '' : ', by call-back'}`;
  const message = oneLine(said);
  return {
    verdict: MEASURED[verdict],
    evidence: message === '' ? answer : `${answer}: ${message}`,
    memo: { run: question + 1 },
  };
};

export const webhookGate: GateKind = {
  kind: 'webhook',
  description: 'A server of yours is asked, and answers pass, fail or wait, or calls back later; both sides sign.',
  schema: spec,
  phases: ['before', 'during', 'after'],
  defaults: {
    count: 1,
    interval: 30_000,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    timeout: 3_600_000,
    onInconclusive: 'wait',
  },
};
