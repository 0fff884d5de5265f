import { z } from 'zod';
import { says } from '../../documents/schema/field-message.ts';
import { duration, fields } from '../../documents/schema/fields.ts';
import { LEAST_PAST } from '../comparison/cohorts.ts';
import type { GateKind } from '../gate-kind.ts';
import { gateAuth, serverAddress } from './prometheus.ts';

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SAMPLES = 1000;

const spec = () =>
  fields({
    address: serverAddress('the address of a Prometheus such as https://prometheus.example.com').describe(
      'Where a Prometheus answers that knows all clusters; its host must be allowed by whoever runs the hub.',
    ),
    query: z
      .string()
      .min(1)
      .max(8192)
      .refine((query) => !/\{(cluster|region)\}/.test(query), {
        message: says('asks for one cluster', 'leave {cluster} and {region} out, and aggregate by (cluster)'),
      })
      .describe('PromQL that gives one series for each cluster, such as an error ratio; never negative.'),
    clusterLabel: z
      .string()
      .regex(LABEL, says('is not a label', 'write the name of a label such as cluster'))
      .default('cluster')
      .describe("The label of the query's result that holds the cluster's name."),
    direction: z.enum(['higher-is-worse', 'lower-is-worse']).default('higher-is-worse'),
    window: duration()
      .prefault('10m')
      .describe('So much of now is averaged; the past is cut into pieces of this length.'),
    past: duration().prefault('1h').describe('So much of each cluster from before its update is compared with.'),
    step: duration().prefault('15s').describe('Between two samples.'),
    minSamples: z.int().min(2).max(SAMPLES).default(10).describe('Samples that a cluster needs in each window.'),
    tolerance: z.number().min(1.05).max(100).default(1.5).describe('Worse by less than this factor is no failure.'),
    negligible: z.number().min(0).default(0).describe("Worse by less than this, in the metric's unit, is no failure."),
    falseAlarms: z
      .number()
      .min(0.000_001)
      .max(0.1)
      .default(0.005)
      .describe('The chance of a false halt that is accepted, for all measurements of a gate together.'),
    without: z
      .enum(['past', 'inconclusive'])
      .default('past')
      .describe(
        "When no untouched cluster is left: compare with the updated clusters' own past alone, or say nothing.",
      ),
    auth: gateAuth().optional(),
    timeout: duration().prefault('10s').describe('An answer that takes longer is an error.'),
  })
    .refine((gate) => gate.past >= gate.window * LEAST_PAST && gate.past <= gate.window * 48, {
      path: ['past'],
      message: says('does not fit the window', `make it ${LEAST_PAST} to 48 times as long as window`),
    })
    .refine((gate) => gate.step * gate.minSamples <= gate.window && gate.window <= gate.step * SAMPLES, {
      path: ['step'],
      message: says('does not fit the window', `at least minSamples and at most ${SAMPLES} steps fit into a window`),
    });

export type ComparisonSpec = z.output<ReturnType<typeof spec>>;

export const comparisonGate: GateKind = {
  kind: 'comparison',
  description: 'A metric of the updated clusters against that of the untouched ones, and against their own past.',
  schema: spec,
  phases: ['after', 'during'],
  defaults: {
    interval: 60_000,
    count: 10,
    failureLimit: 0,
    inconclusiveLimit: 10,
    consecutiveErrorLimit: 4,
    onInconclusive: 'wait',
  },
};
