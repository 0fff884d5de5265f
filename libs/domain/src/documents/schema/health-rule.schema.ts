import { z } from 'zod';
import { compileHealthRule, hasBuiltInRule } from '../../health/index.ts';
import { documentSchema } from './document.schema.ts';
import { refuse, says } from './field-message.ts';
import { fields } from './fields.ts';

/** As a CustomResourceDefinition has to call it. */
const GROUP = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){1,7}$/;
const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;

const condition = () => z.string();

const spec = fields({
  group: z
    .string()
    .regex(GROUP, says('is not the API group of a kind of your own', 'write it without a version, such as example.com'))
    .describe('The API group, without its version.'),
  kind: z
    .string()
    .regex(KIND, says('is not a kind', 'write one such as Database'))
    .describe('The kind of the objects.'),
  ready: condition().describe('CEL over `object`, the live object: true when it is ready.'),
  failed: condition()
    .optional()
    .describe('CEL: true when it has failed and will not mend by itself. Asked first; by default nothing is.'),
  message: condition()
    .optional()
    .describe('CEL that gives a text for people, shown as evidence in whatever state the object is.'),
}).superRefine(({ group, kind, ready, failed, message }, context) => {
  if (GROUP.test(group) && hasBuiltInRule(`${group}/${kind}`))
    refuse(context, ['kind'], 'is judged by the rules of Kubernetes', 'take the document out, or name another kind');
  const compiled = compileHealthRule({
    group,
    kind,
    ready,
    ...(failed === undefined ? {} : { failed }),
    ...(message === undefined ? {} : { message }),
  });
  if (compiled.ok) return;
  for (const { field, error } of compiled.problems) {
    const at = error.position === undefined ? '' : ` (line ${error.position.line}, column ${error.position.column})`;
    refuse(context, [field], `is not an expression for this: ${error.message}${at}`, error.remedy);
  }
});

export const healthRuleSchema = documentSchema('HealthRule', spec).describe(
  'How objects of a kind of your own are judged: what ready and failed mean, in CEL.',
);
