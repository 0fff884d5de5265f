import { CHANGE_KINDS, CHANGE_RELATIONS, SIGNAL_KINDS } from '@breakwater/domain';
import { z } from 'zod';
import { named } from './registry.ts';
import { revisionShape } from './rollout-shapes.ts';
import { time } from './text.ts';

const signalShape = named(
  'Signal',
  z.strictObject({
    at: time,
    kind: z.enum(SIGNAL_KINDS),
    message: z.string(),
    application: z.string().nullable(),
    rollout: z.string().nullable(),
  }),
);

const changeShape = named(
  'Change',
  z.strictObject({
    rank: z.number().int().min(1).describe('1: look at this one first'),
    at: time.nullable().describe('null: it has happened, and nobody can tell when'),
    relation: z.enum(CHANGE_RELATIONS).describe('To the first signal; `unrelated`: there was none'),
    kind: z.enum(CHANGE_KINDS),
    what: z.string(),
    by: z.string().describe('A person, a field manager, or `breakwater`; empty where the cluster does not tell'),
    reason: z.string(),
    object: z.string().nullable(),
    application: z.string().nullable(),
    rollout: z.string().nullable(),
    revision: revisionShape.nullable(),
  }),
);

export const changesShape = named(
  'Changes',
  z.strictObject({
    cluster: z.string(),
    since: time,
    until: time,
    signal: signalShape
      .nullable()
      .describe('The first that broke: changes are ranked against it. null: nothing broke, newest first'),
    signals: z.array(signalShape).describe('Oldest first'),
    changes: z.array(changeShape).describe('By rank'),
    notLookedAt: z
      .array(z.strictObject({ what: z.string(), reason: z.string() }))
      .describe('What is missing in `changes`, and why'),
    notes: z.array(z.string()),
  }),
);

export type WireChanges = z.infer<typeof changesShape>;
