import { z } from 'zod';
import { says } from '../../documents/schema/field-message.ts';
import { duration, fields, name } from '../../documents/schema/fields.ts';
import type { GateKind } from '../gate-kind.ts';

const QUANTITY = /^[1-9]\d{0,5}(m|Mi|Gi)?$/;
const quantity = () => z.string().regex(QUANTITY, says('is not a quantity', 'write one such as 200m or 128Mi'));
const text = () => z.string().max(4096);

const spec = () =>
  fields({
    image: z
      .string()
      .max(512)
      .regex(/^[a-z0-9][^\s]*$/, says('is not an image', 'write one such as registry.example.com/smoke:1.0')),
    command: z.array(text()).max(50).optional(),
    args: z.array(text()).max(50).optional().describe('Templates may stand in command, args and env.'),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, says('is not a variable', 'write letters, digits and _')),
        text(),
      )
      .optional()
      .describe('Not for secrets: it stands in Git, and in the cluster for all to read.'),
    serviceAccountName: name().optional().describe('Without one, the Job gets no token of the API server.'),
    imagePullSecrets: z.array(name()).max(10).optional(),
    backoffLimit: z.int().min(0).max(5).default(0),
    deadline: duration()
      .refine((time) => time >= 1_000 && time <= 3_600_000, says('is not between 1s and 1h', 'write 1s to 1h'))
      .prefault('5m')
      .describe('The cluster ends it after this, as failed.'),
    runAsUser: z.int().min(1).max(4_294_967_294).optional(),
    cpu: quantity().default('500m'),
    memory: quantity().default('256Mi'),
  });

export type JobSpec = z.output<ReturnType<typeof spec>>;

export const jobGate: GateKind = {
  kind: 'job',
  description: 'A smoke-test Job, run in each target.',
  schema: spec,
  phases: ['during'],
  defaults: { count: 1, interval: 5_000, failureLimit: 0, consecutiveErrorLimit: 4, onInconclusive: 'wait' },
};
