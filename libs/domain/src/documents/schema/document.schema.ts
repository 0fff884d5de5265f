import { z } from 'zod';
import type { FleetKind } from '../../fleet/index.ts';
import { fields, labels, name } from './fields.ts';

export const API_VERSION = 'breakwater.dev/v1alpha1';

/** Kinds of the contract that have no schema yet. */
export const KINDS_NOT_YET: readonly string[] = ['Baseline'];

const metadata = () =>
  fields({
    name: name().describe('Unique among the documents of its kind.'),
    labels: labels().default({}).describe("A Cluster's labels are what selectors select by."),
  });

/** One document: the frame that every kind has, around its `spec`. */
export const documentSchema = <Kind extends FleetKind, Spec extends z.ZodType>(kind: Kind, spec: Spec) =>
  fields({
    apiVersion: z.literal(API_VERSION).describe('The version of this reference.'),
    kind: z.literal(kind).describe('What the document is about.'),
    metadata: metadata().describe('Its name and labels.'),
    spec,
  });
