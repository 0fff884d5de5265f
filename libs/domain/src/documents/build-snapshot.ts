import type {
  Application,
  Cluster,
  ClusterSelector,
  Fleet,
  FleetKind,
  FleetSnapshot,
  FreezeWindow,
  HealthRuleDocument,
  Strategy,
} from '../fleet/index.ts';
import { clustersOf, describeSelector } from '../fleet/index.ts';
import { freezesOn } from '../windows/index.ts';
import { suggestion } from './did-you-mean.ts';
import type { DocumentError, FieldPath } from './document-error.ts';
import { sortErrors } from './document-error.ts';
import type { Problem } from './draft.ts';
import type { LocatedDocument } from './read-documents.ts';
import { byPlace, errorAt } from './read-documents.ts';
import { checkHealthRules } from './health-rules.ts';
import { checkGateDocument, resolveGates } from './resolve-gates.ts';
import { waveErrors } from './wave-errors.ts';

export interface SnapshotOptions {
  /** Every path of the repository: when given, a source that is not there is an error of its application. */
  readonly paths?: readonly string[];
}

export interface SnapshotResult {
  /** Null when an error blocks it: the last good one stays in force. */
  readonly snapshot: FleetSnapshot | null;
  /** Those of the reading, and those between documents. By place. */
  readonly errors: readonly DocumentError[];
}

interface Known {
  readonly documents: readonly LocatedDocument[];
  readonly clusters: readonly Cluster[];
  readonly fleets: readonly Fleet[];
  readonly strategies: readonly Strategy[];
  readonly applications: readonly Application[];
  readonly freezeWindows: readonly FreezeWindow[];
  readonly healthRules: readonly HealthRuleDocument[];
  /** Also of documents with errors: a reference to one of these does not dangle. */
  readonly names: ReadonlyMap<FleetKind, ReadonlySet<string>>;
  readonly regions: ReadonlySet<string>;
  /** Of the repository; null where they are not known. */
  readonly folders: ReadonlySet<string> | null;
  /** Some cluster could not be read, so that nothing can be said about what selects nothing. */
  readonly clustersMissing: boolean;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

const survey = (
  documents: readonly LocatedDocument[],
  errors: readonly DocumentError[],
  { paths }: SnapshotOptions,
): Known => {
  const resources = documents.map((document) => document.resource).sort(byName);
  const clusters = resources.filter((resource) => resource.kind === 'Cluster');
  const namesOf = (kind: FleetKind): ReadonlySet<string> =>
    new Set([...documents, ...errors].filter((entry) => entry.kind === kind).map((entry) => entry.name));
  return {
    documents,
    clusters,
    fleets: resources.filter((resource) => resource.kind === 'Fleet'),
    strategies: resources.filter((resource) => resource.kind === 'Strategy'),
    applications: resources.filter((resource) => resource.kind === 'Application'),
    freezeWindows: resources.filter((resource) => resource.kind === 'FreezeWindow'),
    healthRules: resources.filter((resource) => resource.kind === 'HealthRule'),
    names: new Map([
      ['Fleet', namesOf('Fleet')],
      ['Strategy', namesOf('Strategy')],
      ['Cluster', namesOf('Cluster')],
    ]),
    regions: new Set(clusters.map((cluster) => cluster.region)),
    folders: paths === undefined ? null : foldersOf(paths),
    clustersMissing: errors.some((error) => error.blocks === 'snapshot' && ['', 'Cluster'].includes(error.kind)),
  };
};

type Report = (path: FieldPath, problem: Problem, on?: 'key' | 'value') => void;

const checkReference = (
  known: Known,
  kind: 'Fleet' | 'Strategy' | 'Cluster',
  name: string,
  path: FieldPath,
  report: Report,
): void => {
  const names = known.names.get(kind) ?? new Set();
  if (names.has(name)) return;
  const word = kind.toLowerCase();
  report(path, {
    reason: 'DanglingReference',
    message: `there is no ${word} ${JSON.stringify(name)}`,
    remedy: suggestion(name, [...names], `add a ${kind} document with this name`),
  });
};

const checkRegion = (known: Known, region: string, path: FieldPath, report: Report, on?: 'key'): void => {
  if (known.clustersMissing || known.regions.has(region)) return;
  report(
    path,
    {
      reason: 'DanglingReference',
      message: `no cluster is in region ${JSON.stringify(region)}`,
      remedy: suggestion(region, [...known.regions], 'take it out, or add a cluster there'),
    },
    on,
  );
};

const checkSelector = (known: Known, selector: ClusterSelector | null, path: FieldPath, report: Report): void => {
  for (const [index, region] of (selector?.regions ?? []).entries())
    checkRegion(known, region, [...path, 'regions', index], report);
};

const checkFleet = (known: Known, fleet: Fleet, report: Report): void => {
  if (fleet.strategy !== null) checkReference(known, 'Strategy', fleet.strategy, ['spec', 'strategy'], report);
  checkSelector(known, fleet.clusters, ['spec', 'clusters'], report);
  for (const region of Object.keys(fleet.regions))
    checkRegion(known, region, ['spec', 'regions', region], report, 'key');
  if (known.clustersMissing || clustersOf(fleet, known.clusters).length > 0) return;
  report(['spec', 'clusters'], {
    reason: 'SelectsNothing',
    message: `selects no cluster: none is ${describeSelector(fleet.clusters)}`,
    remedy: 'label clusters so that it selects them, or take the fleet out',
  });
};

const checkStrategy = (known: Known, strategy: Strategy, report: Report): void => {
  for (const [index, wave] of strategy.waves.entries())
    if (!wave.allowEmpty) checkSelector(known, wave.clusters, ['spec', 'waves', index, 'clusters'], report);
};

const checkSource = (known: Known, application: Application, report: Report): void => {
  const { path } = application.source;
  if (path === null || known.folders === null || known.folders.has(path)) return;
  report(['spec', 'source', 'path'], {
    reason: 'SourceNotFound',
    message: `there is no folder ${JSON.stringify(path)}`,
    remedy: suggestion(path, [...known.folders], 'name a folder of this repository'),
  });
};

const foldersOf = (paths: readonly string[]): ReadonlySet<string> => {
  const folders = new Set<string>();
  for (const path of paths)
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  return folders;
};

const checkApplication = (known: Known, application: Application, report: Report): void => {
  checkReference(known, 'Fleet', application.fleet, ['spec', 'fleet'], report);
  if (application.strategy !== null)
    checkReference(known, 'Strategy', application.strategy, ['spec', 'strategy'], report);
  const fleet = known.fleets.find((candidate) => candidate.name === application.fleet);
  if (application.strategy === null && fleet?.strategy === null)
    report(['spec', 'strategy'], {
      reason: 'MissingField',
      message: `is missing, and fleet ${fleet.name} names none either`,
      remedy: 'name a Strategy here or in the fleet',
    });
  for (const [index, variant] of application.variants.entries())
    checkSelector(known, variant.clusters, ['spec', 'variants', index, 'clusters'], report);
  for (const [index, override] of application.overrides.entries())
    checkSelector(known, override.clusters, ['spec', 'overrides', index, 'clusters'], report);
};

const checkFreezeWindow = (known: Known, window: FreezeWindow, report: Report): void => {
  const { fleets, clusters, selector } = window.scope;
  for (const [index, fleet] of fleets.entries())
    checkReference(known, 'Fleet', fleet, ['spec', 'fleets', index], report);
  checkSelector(known, selector, ['spec', 'clusters'], report);
  if (known.clustersMissing) return;
  for (const [index, cluster] of clusters.entries())
    checkReference(known, 'Cluster', cluster, ['spec', 'clusters', 'names', index], report);
  if (!fleets.every((fleet) => known.fleets.some(({ name }) => name === fleet))) return;
  const members = fleets.flatMap((name) => {
    const fleet = known.fleets.find((candidate) => candidate.name === name);
    return fleet === undefined ? [] : clustersOf(fleet, known.clusters);
  });
  const candidates = fleets.length === 0 ? known.clusters : members;
  if (candidates.some((cluster) => freezesOn(window.scope, cluster))) return;
  report(['spec', clusters.length === 0 && selector === null ? 'fleets' : 'clusters'], {
    reason: 'SelectsNothing',
    message: 'freezes nothing: it selects no cluster',
    remedy: 'select clusters that there are, or take the document out',
  });
};

const checkDocument = (known: Known, document: LocatedDocument, report: Report): void => {
  const { resource } = document;
  switch (resource.kind) {
    case 'Cluster':
      return;
    case 'Fleet':
      return checkFleet(known, resource, report);
    case 'Strategy':
      return checkStrategy(known, resource, report);
    case 'Gate':
      return checkGateDocument(resource, report);
    case 'Application':
      checkApplication(known, resource, report);
      return checkSource(known, resource, report);
    case 'FreezeWindow':
      return checkFreezeWindow(known, resource, report);
    case 'HealthRule':
      // Whether it is the only one for its kind is seen among all of them.
      return;
  }
};

const duplicates = (documents: readonly LocatedDocument[]): DocumentError[] => {
  const first = new Map<string, LocatedDocument>();
  return documents.flatMap((document) => {
    const key = `${document.kind}/${document.name}`;
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, document);
      return [];
    }
    const problem: Problem = {
      reason: 'DuplicateName',
      message: `${key} is already in ${before.file}:${before.line}`,
      remedy: 'keep one of them, or give this one another name',
    };
    return [errorAt(document, ['metadata', 'name'], problem)];
  });
};

const blockedBy = (errors: readonly DocumentError[]): readonly string[] =>
  [...new Set(errors.map((error) => error.blocks))]
    .filter((blocks) => blocks !== 'snapshot')
    .map((blocks) => blocks.slice('application/'.length))
    .sort();

/**
 * What the documents of one commit say together. `readErrors` are those of the reading: with one that blocks the snapshot there
 * is none, and an application with errors is left out and named as blocked.
 */
export const buildSnapshot = (
  read: { readonly documents: readonly LocatedDocument[]; readonly errors: readonly DocumentError[] },
  options: SnapshotOptions = {},
): SnapshotResult => {
  const documents = [...read.documents].sort(byPlace);
  const known = survey(documents, read.errors, options);
  const between = [...duplicates(documents), ...checkHealthRules(documents)];
  for (const document of documents)
    checkDocument(known, document, (path, problem, on) => between.push(errorAt(document, path, problem, on)));
  const gates = documents.map((document) => document.resource).filter((resource) => resource.kind === 'Gate');
  const strategies = known.strategies.map((strategy) => {
    const document = documents.find((candidate) => candidate.resource === strategy);
    return resolveGates(strategy, gates, (path, problem) => {
      if (document !== undefined) between.push(errorAt(document, path, problem));
    });
  });
  const errors = sortErrors([...read.errors, ...between]);
  if (errors.some((error) => error.blocks === 'snapshot')) return { snapshot: null, errors };
  const snapshot = without(blockedBy(errors), {
    clusters: known.clusters,
    fleets: known.fleets,
    strategies,
    applications: known.applications,
    freezeWindows: known.freezeWindows,
    healthRules: known.healthRules,
    blockedApplications: [],
  });
  const unplannable = waveErrors(documents, snapshot);
  if (unplannable.length === 0) return { snapshot, errors };
  return { snapshot: without(blockedBy(unplannable), snapshot), errors: sortErrors([...errors, ...unplannable]) };
};

const without = (names: readonly string[], snapshot: FleetSnapshot): FleetSnapshot => {
  const blocked = new Set(names);
  return {
    ...snapshot,
    applications: snapshot.applications.filter((application) => !blocked.has(application.name)),
    blockedApplications: [...snapshot.blockedApplications, ...names].sort(),
  };
};
