import type { DocumentError, SnapshotResult } from './index.ts';
import { buildSnapshot, formatDocumentError, readFleetDocuments } from './index.ts';

const HEAD = 'apiVersion: breakwater.dev/v1alpha1\n';

/** A document of ours: its kind, name and spec, the latter as flow or block YAML. */
export const document = (kind: string, name: string, spec: string, labels = ''): string =>
  `${HEAD}kind: ${kind}\nmetadata: { name: ${name}${labels === '' ? '' : `, labels: { ${labels} }`} }\nspec: ${spec}\n`;

export const VALID = {
  'clusters/a.yaml': document('Cluster', 'a', '{ region: eu, risk: low }', 'tier: production'),
  'clusters/b.yaml': document('Cluster', 'b', '{ region: us, risk: high }', 'tier: production'),
  'fleet.yaml': document('Fleet', 'shop', '{ clusters: { matchLabels: { tier: production } }, strategy: careful }'),
  'strategy.yaml': document('Strategy', 'careful', '{ waves: [ { name: low, risk: low }, { name: rest } ] }'),
  'podinfo.yaml': document('Application', 'podinfo', '{ fleet: shop, source: { path: apps/podinfo } }'),
} as const;

export type Tree = Readonly<Record<string, string>>;

export const snapshotOf = (tree: Tree, paths?: readonly string[]): SnapshotResult =>
  buildSnapshot(
    readFleetDocuments(Object.entries(tree).map(([path, text]) => ({ path, text }))),
    paths === undefined ? {} : { paths },
  );

export const errorsOf = (text: string, file = 'f.yaml'): readonly DocumentError[] =>
  readFleetDocuments([{ path: file, text }]).errors;

/** Each as people read it. */
export const linesOf = (errors: readonly DocumentError[]): readonly string[] => errors.map(formatDocumentError);
