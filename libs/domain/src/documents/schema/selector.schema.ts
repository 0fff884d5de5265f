import { z } from 'zod';
import { SELECTOR_OPERATORS } from '../../fleet/index.ts';
import { refuse, says } from './field-message.ts';
import { fields, labelKey, labels, labelValue, name, place } from './fields.ts';

const EMPTY_REMEDY = 'name at least one, or leave the field out';

const expression = () =>
  fields({
    key: labelKey().describe('The label.'),
    operator: z.enum(SELECTOR_OPERATORS).describe('In and NotIn need `values`; Exists and DoesNotExist take none.'),
    values: z.array(labelValue()).default([]).describe('For In and NotIn.'),
  }).superRefine((value, context) => {
    const needsValues = value.operator === 'In' || value.operator === 'NotIn';
    if (needsValues && value.values.length === 0)
      refuse(context, ['values'], 'is empty', `name at least one value for ${value.operator}`);
    if (!needsValues && value.values.length > 0)
      refuse(context, ['values'], `does not go with ${value.operator}`, 'leave it out, or use In or NotIn');
  });

const parts = () => ({
  all: z
    .literal(true, says('can only be true', 'leave it out, or write all: true for every cluster'))
    .optional()
    .describe('Every cluster, in words; excludes the other fields.'),
  matchLabels: labels()
    .refine((value) => Object.keys(value).length > 0, says('is empty', EMPTY_REMEDY))
    .optional()
    .describe('Labels that a cluster must have.'),
  matchExpressions: z
    .array(expression())
    .min(1, says('is empty', EMPTY_REMEDY))
    .optional()
    .describe('Expressions over labels that must hold.'),
  regions: z
    .array(place())
    .min(1, says('is empty', EMPTY_REMEDY))
    .optional()
    .describe('Regions of which a cluster must be in one.'),
});

const refuseEmptyOrContradictory = (value: { readonly all?: true | undefined }, context: z.RefinementCtx): void => {
  const given = Object.values(value).filter((part) => part !== undefined);
  if (given.length === 0)
    refuse(context, [], 'is an empty selector', 'name matchLabels, matchExpressions or regions, or write all: true');
  if (value.all === true && given.length > 1)
    refuse(context, ['all'], 'excludes every other field of the selector', 'keep all: true or the others');
};

type Parts = z.output<z.ZodObject<ReturnType<typeof parts>>>;

const selectorOf = (value: Parts) => ({
  all: value.all === true,
  matchLabels: value.matchLabels ?? {},
  matchExpressions: value.matchExpressions ?? [],
  regions: value.regions ?? [],
});

/** Which clusters: everything that is given must hold; nothing at all is an error, `all: true` says it in words. */
export const clusterSelector = () => fields(parts()).superRefine(refuseEmptyOrContradictory).transform(selectorOf);

/** As {@link clusterSelector}, and by name. */
export const clusterSelectorWithNames = () =>
  fields({
    ...parts(),
    names: z
      .array(name())
      .min(1, says('is empty', EMPTY_REMEDY))
      .optional()
      .describe('Names of which a cluster must have one.'),
  })
    .superRefine(refuseEmptyOrContradictory)
    .transform(({ names, ...others }) => ({
      names: names ?? [],
      selector: Object.values(others).every((part) => part === undefined) ? null : selectorOf(others),
    }));
