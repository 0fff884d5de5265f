import { z } from 'zod';
import { says } from '../../documents/schema/field-message.ts';
import { duration, fields } from '../../documents/schema/fields.ts';
import type { GateKind } from '../gate-kind.ts';
import { gateAuth, serverAddress } from './prometheus.ts';

const MATCHER = /^[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*\S.{0,1000}$/;

const spec = () =>
  fields({
    address: serverAddress('the address of an Alertmanager such as https://alertmanager.example.com').describe(
      'Where an Alertmanager answers; its host must be allowed by whoever runs the hub.',
    ),
    matchers: z
      .array(
        z
          .string()
          .regex(MATCHER, says('is not a matcher', 'write label=value, label!=value, label=~regex or label!~regex')),
      )
      .min(1)
      .max(20)
      .describe('An alert counts when all of them match: severity=critical, cluster={cluster}.'),
    includeSilenced: z.boolean().default(false).describe('Alerts that somebody silenced count too.'),
    auth: gateAuth().optional(),
    timeout: duration().prefault('10s').describe('An answer that takes longer is an error.'),
  });

export type AlertsSpec = z.output<ReturnType<typeof spec>>;

export const alertsGate: GateKind = {
  kind: 'alerts',
  description: 'No matching alert fires in Alertmanager.',
  schema: spec,
  phases: ['after', 'before', 'during'],
  defaults: {
    interval: 15_000,
    failureLimit: 0,
    inconclusiveLimit: 3,
    consecutiveErrorLimit: 4,
    onInconclusive: 'wait',
  },
};
