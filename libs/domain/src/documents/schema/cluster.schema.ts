import { z } from 'zod';
import { RISKS } from '../../fleet/index.ts';
import { documentSchema } from './document.schema.ts';
import { says } from './field-message.ts';
import { fields, name, place, values } from './fields.ts';
import { maintenanceWindows } from './window.schema.ts';

const SHARE_RULE = says('is not a share', 'write a number from 0 to 1, such as 0.12');
const word = (what: string) =>
  z
    .string()
    .min(1, says('is empty', `name the ${what}, or leave the field out`))
    .max(253);

const characteristics = () =>
  fields({
    provider: word('provider').optional().describe('Who runs the machines, such as aws.'),
    architecture: word('architecture').optional().describe('Of the nodes, such as arm64.'),
    trafficShare: z
      .number()
      .min(0, SHARE_RULE)
      .max(1, SHARE_RULE)
      .optional()
      .describe("The cluster's part of all traffic, from 0 to 1."),
    regulated: z
      .array(word('regulation'))
      .optional()
      .describe('Regulations that the cluster falls under, such as pci.'),
    environment: word('environment').optional().describe('What it is for, such as production.'),
  });

const spec = fields({
  region: place().describe('Where the cluster is.'),
  failureDomain: place()
    .optional()
    .describe("What it fails together with. Default: the cluster's name, so that it fails alone."),
  characteristics: characteristics().default({}).describe('Facts that are shown with the cluster.'),
  risk: z
    .enum(RISKS)
    .optional()
    .describe('How much a failure here hurts; waves can select by it. Default: the label `risk`.'),
  credentials: fields({ name: name().describe('A name in the credential store.') })
    .optional()
    .describe("Never the secret itself. Default: the cluster's name."),
  values: values().default({}).describe('Values for every application on this cluster.'),
  maintenanceWindows: maintenanceWindows()
    .optional()
    .describe('The cluster is written to only inside of one of them. Default: at any time.'),
});

export const clusterSchema = documentSchema('Cluster', spec).describe('A Kubernetes cluster that Breakwater works on.');
