import { z } from 'zod';
import { documentSchema } from './document.schema.ts';
import { refuse, says } from './field-message.ts';
import { fields, name, notYet, relativePath, values } from './fields.ts';
import { clusterSelector } from './selector.schema.ts';

const text = () => z.string().min(1, says('is empty', 'write it, or leave the field out')).max(1024);

const EXACT_VERSION = /^v?\d{1,9}\.\d{1,9}\.\d{1,9}([-+][0-9A-Za-z.+-]{1,100})?$/;

const chart = () =>
  fields({
    repository: z
      .url({ protocol: /^https?$/, error: says('is not a web address', 'write the https URL of a chart repository') })
      .optional()
      .describe('A chart repository; or `oci`.'),
    oci: z
      .string()
      .regex(
        /^oci:\/\/[^\s/]{1,253}(\/[^\s]{0,512})?$/,
        says('is not an OCI address', 'write it as oci://registry/folder'),
      )
      .optional()
      .describe('A registry; or `repository`.'),
    name: text().describe("The chart's name."),
    version: z
      .string()
      .regex(
        EXACT_VERSION,
        says('is not an exact version', 'pin one, such as 1.2.3: a range renders something else tomorrow'),
      )
      .describe('Exact, such as 1.2.3.'),
  }).superRefine((value, context) => {
    if ((value.repository === undefined) === (value.oci === undefined))
      refuse(context, [], 'needs repository or oci, and only one of them', 'name where the chart comes from');
  });

const source = () =>
  fields({
    path: relativePath()
      .optional()
      .describe('A folder of this repository: plain YAML, a kustomization.yaml or a Chart.yaml.'),
    repository: notYet('sources are in the fleet repository, or charts'),
    chart: chart().optional().describe('A Helm chart from elsewhere, instead of `path`.'),
    helm: fields({
      releaseName: z
        .string()
        .regex(
          /^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/,
          says('is not a release name', 'use at most 53 lower-case letters, digits and "-"'),
        )
        .optional()
        .describe("Default: the application's name."),
      valuesFiles: z.array(relativePath()).default([]).describe('Values files below the source, in order.'),
      apiVersions: z
        .array(
          z
            .string()
            .regex(
              /^[a-z0-9][a-z0-9.-]{0,252}(\/[A-Za-z0-9]{1,63}){0,2}$/,
              says('is not an API version', 'write group/version or group/version/Kind'),
            ),
        )
        .max(200)
        .default([])
        .describe("What `.Capabilities.APIVersions` has besides Helm's own list, whatever the clusters serve."),
    })
      .prefault({})
      .describe('For Helm charts.'),
    substitute: z.boolean().default(false).describe('Replace ${a.b} in plain YAML and Kustomize by values.'),
  }).superRefine((value, context) => {
    if ((value.path === undefined) === (value.chart === undefined))
      refuse(context, [], 'needs path or chart, and only one of them', 'name where the objects come from');
  });

const variant = () =>
  fields({
    clusters: clusterSelector().describe('Where it applies; the first variant that selects a cluster is used.'),
    path: relativePath().optional().describe("Another folder, below the source's path."),
    values: values().default({}).describe('Values on top of all others.'),
  });

const patchOperation = () =>
  fields({
    op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']),
    path: z.string(),
    from: z.string().optional(),
    value: z.unknown().optional(),
  }).superRefine((operation, context) => {
    const needsFrom = operation.op === 'move' || operation.op === 'copy';
    if (needsFrom && operation.from === undefined)
      refuse(context, ['from'], 'is missing', `say where to ${operation.op} from`, 'MissingField');
    const needsValue = operation.op === 'add' || operation.op === 'replace' || operation.op === 'test';
    if (needsValue && operation.value === undefined)
      refuse(context, ['value'], 'is missing', `say what to ${operation.op}`, 'MissingField');
  });

const override = () =>
  fields({
    clusters: clusterSelector().describe('Where it applies.'),
    target: fields({
      group: z.string().max(253).optional().describe('API group, where the kind alone is ambiguous.'),
      kind: text().describe('Kind of the object.'),
      name: text().describe('Name of the object.'),
      namespace: name().optional().describe('Namespace of the object, where the name alone is ambiguous.'),
    }).describe('Which object; one that matches nothing is an error.'),
    patch: values().optional().describe('A JSON merge patch.'),
    jsonPatch: z.array(patchOperation()).min(1).optional().describe('A JSON patch (RFC 6902).'),
  }).superRefine((value, context) => {
    if ((value.patch === undefined) === (value.jsonPatch === undefined))
      refuse(context, [], 'needs patch or jsonPatch, and only one of them', 'say what to change');
  });

const spec = fields({
  fleet: name().describe('The Fleet that it is rolled out to.'),
  strategy: name().optional().describe("The Strategy. Default: the fleet's."),
  trigger: z
    .enum(['manual', 'onCommit'])
    .default('manual')
    .describe('Whether a new release starts a rollout by itself.'),
  namespace: name().optional().describe("Created with the application when absent. Default: the application's name."),
  namespaces: z.array(name()).default([]).describe('Further namespaces that its objects may be in.'),
  source: source().describe('Where its objects come from.'),
  values: values().default({}).describe('Helm values; for other sources only with `source.substitute`.'),
  variants: z.array(variant()).default([]).describe('Other sources or values for some clusters.'),
  overrides: z.array(override()).default([]).describe('Changes to what was rendered, for some clusters.'),
  ignore: z
    .array(
      fields({
        kind: text().describe('Kind of the objects.'),
        name: text().optional().describe('One object of the kind. Default: all.'),
        fields: z.array(text()).min(1, says('is empty', 'name at least one field')).describe('Such as spec.replicas.'),
      }),
    )
    .default([])
    .describe('Fields that are left to others.'),
  secrets: notYet('values from a secret store'),
  hooks: notYet('hook Jobs'),
  dependsOn: notYet('order between applications'),
  promotion: notYet('promotion between applications'),
  restartOnConfigChange: notYet('restarts after a changed ConfigMap'),
  prune: fields({
    enabled: z.boolean().default(true).describe('Whether objects that left the release are deleted.'),
    maxDeletions: z.int().min(0).max(1_000_000).default(10).describe('More than this many wait for a person.'),
    protect: z
      .array(text())
      .default(['PersistentVolumeClaim', 'CustomResourceDefinition'])
      .describe('Kinds that are never deleted.'),
  })
    .prefault({})
    .describe('Deletion of objects that left the release.'),
  conflicts: z
    .enum(['report', 'force'])
    .default('report')
    .describe('Fields that somebody else owns: fail, or take them.'),
  adopt: z
    .enum(['refuse', 'unowned'])
    .default('refuse')
    .describe("Objects that exist and are nobody's: fail, or take them."),
  onRemoval: notYet('an application that leaves Git waits'),
});

export const applicationSchema = documentSchema('Application', spec).describe('What is rolled out, and where to.');
