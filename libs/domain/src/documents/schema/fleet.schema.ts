import { z } from 'zod';
import { documentSchema } from './document.schema.ts';
import { fields, name, place, values } from './fields.ts';
import { clusterSelector } from './selector.schema.ts';

const spec = fields({
  clusters: clusterSelector().describe('Which clusters the fleet has; one that selects nothing is an error.'),
  strategy: name().optional().describe('The Strategy of applications that name none.'),
  values: values().default({}).describe('Values for every application of the fleet.'),
  regions: z
    .record(place(), fields({ values: values().default({}).describe('Values for the clusters of this region.') }))
    .default({})
    .describe('Values by region. Later wins: fleet, region, cluster, application, variant.'),
});

export const fleetSchema = documentSchema('Fleet', spec).describe(
  'A set of clusters that applications are rolled out to.',
);
