import { canonicalJson } from '@breakwater/domain';
import type { RenderRequest } from '@breakwater/application';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackChart } from './chart-archive.ts';
import { fail } from './render-failure.ts';
import type { Limits } from './render-limits.ts';
import type { SandboxResult } from './sandbox.ts';
import { decodeText } from './source-files.ts';
import { callsLookup, guardTemplate, LOOKUP_MARK } from './template-guard.ts';
import type { ReadManifest } from './worker/documents-reader.ts';
import type { SourceText } from './worker/work.ts';

export interface HelmRun {
  readonly request: RenderRequest;
  /** A copy of the chart, without links, that may be changed. */
  readonly chartDir: string;
  /** What the chart is called in messages: its path in the repository, or its name and version. */
  readonly shownAs: string;
  readonly valuesFiles: readonly string[];
  readonly limits: Limits;
  readonly workDir: string;
  readonly run: (args: readonly string[], directory: string) => Promise<SandboxResult>;
}

const REFUSE_LOOKUP = 'give the value in the values: what a bundle holds may not depend on a cluster';
const RELEASE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,51}[a-z0-9])?$/;
const API_VERSION = /^[A-Za-z0-9][A-Za-z0-9./-]*$/;
const KUBE_VERSION = /^v?\d+\.\d+(?:\.\d+)?(?:[-+][\w.+-]+)?$/;

/** Renders a chart twice, the second time at another time of day, for a comparison. */
export const renderHelm = async (helm: HelmRun): Promise<Extract<SourceText, { kind: 'helm' }>> => {
  const releaseName = helm.request.helm?.releaseName ?? helm.request.application;
  checkArguments(helm.request, releaseName);
  await prepareChart(helm.chartDir, helm.shownAs, helm.limits, 0);
  refuseLookupInValues(helm.request.values ?? {});
  const again = join(helm.workDir, 'again');
  await cp(helm.chartDir, again, { recursive: true });
  await guardCharts(helm.chartDir, false);
  await guardCharts(again, true);
  const values = join(helm.workDir, 'values.json');
  await writeFile(values, canonicalJson(helm.request.values ?? {}));
  const render = async (chart: string): Promise<string> => {
    const { status, stdout, stderr } = await helm.run(helmArguments(helm, releaseName, chart, values), helm.workDir);
    if (status !== 0) throw explain(stderr, helm);
    return decodeText(stdout, helm.shownAs);
  };
  // One after the other: the first failure is then the one that is reported.
  const first = await render(helm.chartDir);
  return { kind: 'helm', shownAs: helm.shownAs, first, again: await render(again) };
};

const checkArguments = (request: RenderRequest, releaseName: string): void => {
  const invalid = (field: string, value: string, remedy: string): Error =>
    fail('InvalidRequest', `${field} ${JSON.stringify(value)} is not valid`, remedy, { field });
  if (!RELEASE_NAME.test(releaseName)) {
    const remedy =
      'use at most 53 lower-case letters, digits and dashes; set helm.releaseName where the application has a longer name';
    throw invalid('helm.releaseName', releaseName, remedy);
  }
  if (!KUBE_VERSION.test(request.kubeVersion))
    throw invalid('kubeVersion', request.kubeVersion, 'use a version such as 1.36.3');
  for (const version of request.apiVersions ?? []) {
    if (!API_VERSION.test(version)) throw invalid('apiVersions', version, 'use a version such as apps/v1');
  }
};

/**
 * Always as an installation: a bundle is the whole of what should be there, and serves a cluster's first apply, its upgrades and
 * rollbacks alike. What a chart leaves out of upgrades would be pruned by the second release.
 */
const helmArguments = (helm: HelmRun, releaseName: string, chart: string, values: string): string[] => {
  const { request } = helm;
  const apiVersions = [...(request.apiVersions ?? [])].sort();
  return [
    'template',
    releaseName,
    chart,
    ...['--namespace', request.namespace, '--include-crds', '--kube-version', request.kubeVersion],
    ...(apiVersions.length === 0 ? [] : ['--api-versions', apiVersions.join(',')]),
    ...helm.valuesFiles.flatMap((file) => ['--values', file]),
    ...['--values', values],
  ];
};

const MAX_NESTED_CHARTS = 10;

/** Unpacks archives below `charts/`, as Helm itself would, so that their templates can be guarded too. */
const prepareChart = async (chart: string, shownAs: string, limits: Limits, level: number): Promise<void> => {
  if (level > MAX_NESTED_CHARTS)
    throw fail('TooLarge', 'the charts are nested too deeply', 'use fewer levels', { file: shownAs });
  await refuseFileReferences(chart, shownAs);
  const charts = join(chart, 'charts');
  for (const entry of await readdir(charts, { withFileTypes: true }).catch(() => [])) {
    const path = join(charts, entry.name);
    const shown = `${shownAs}/charts/${entry.name}`;
    if (entry.isFile() && /\.(?:tgz|tar\.gz)$/.test(entry.name)) {
      const target = join(charts, entry.name.replace(/\.(?:tgz|tar\.gz)$/, ''));
      await unpackChart(await readFile(path), shown, target, limits);
      await rm(path);
      await prepareChart(target, shown, limits, level + 1);
    } else if (entry.isDirectory()) await prepareChart(path, shown, limits, level + 1);
  }
};

/** Helm resolves references of a schema before it renders, and would read any file of this machine. */
const refuseFileReferences = async (chart: string, shownAs: string): Promise<void> => {
  const text = await readFile(join(chart, 'values.schema.json'), 'utf8').catch(() => '');
  if (text === '') return;
  const file = `${shownAs}/values.schema.json`;
  const found = referenceElsewhere(parsedSchema(text, file));
  if (found === null) return;
  throw fail(
    'SourceOutsideTree',
    `the schema refers to something outside of it: ${found.slice(0, 200)}`,
    'write the schema in one file, with references that begin with #',
    { file },
  );
};

const parsedSchema = (text: string, file: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // Helm's parser may see a reference where ours sees none.
    throw fail('HelmFailed', 'the schema of the values is not JSON', 'mend the schema', { file });
  }
};

/** What leads from a schema to another document. References to its own parts begin with `#`; identifiers only name it. */
const REFERENCES: ReadonlySet<string> = new Set(['$ref', '$dynamicRef', '$recursiveRef']);
const IDENTIFIERS: ReadonlySet<string> = new Set(['$id', '$schema']);

/** The first of them, as it is written; null: there is none. Without recursion: the depth is the chart's. */
const referenceElsewhere = (schema: unknown): string | null => {
  const open: unknown[] = [schema];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, member] of Object.entries(value)) {
      open.push(member);
      if (typeof member !== 'string') continue;
      const bad =
        (REFERENCES.has(name) && !member.startsWith('#')) ||
        (IDENTIFIERS.has(name) && !/^(?:https?:\/\/|#)/i.test(member));
      if (bad) return `${name}: ${member}`;
    }
  }
  return null;
};

const guardCharts = async (directory: string, otherTime: boolean): Promise<void> => {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !/(?:^|\/)templates\//.test(path.slice(directory.length))) continue;
    const bytes = await readFile(path);
    // Byte for byte where it is not text: Helm itself will say what is wrong with it.
    const text = bytes.toString('latin1');
    const guarded = guardTemplate(text, { otherTime });
    if (guarded !== text) await writeFile(path, Buffer.from(guarded, 'latin1'));
  }
};

const refuseLookupInValues = (value: unknown): void => {
  if (typeof value === 'string' && callsLookup(value)) {
    throw fail('LookupRefused', 'a value calls `lookup`', REFUSE_LOOKUP, { field: 'values' });
  }
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) refuseLookupInValues(member);
};

const explain = (stderr: string, helm: HelmRun): Error => {
  const text = stderr
    .replaceAll(`${helm.chartDir}/`, '')
    .replaceAll(`${helm.workDir}/`, '')
    .replace(/^(?:WARNING|level=WARN).*$/gm, '')
    .replace('Use --debug flag to render out invalid YAML', '')
    .replace(/^Error: /, '')
    .trim();
  const place = /(?:^|\s|\()[\w.-]+\/((?:charts\/[^:\s]+\/)?(?:templates|crds)\/[^:\s]+):(\d+)/.exec(text);
  const where = {
    file: place?.[1] === undefined ? helm.shownAs : `${helm.shownAs}/${place[1]}`,
    ...(place?.[2] === undefined ? {} : { line: Number(place[2]) }),
  };
  if (text.includes(LOOKUP_MARK)) return fail('LookupRefused', 'the template calls `lookup`', REFUSE_LOOKUP, where);
  if (/missing in charts\/ directory|found in Chart.yaml, but missing/i.test(text)) {
    const remedy = 'run `helm dependency build` and commit the charts/ directory';
    return fail('HelmFailed', text.slice(0, 1000), remedy, where);
  }
  return fail(
    'HelmFailed',
    text.slice(0, 1000),
    'run `helm template` with the same values and mend what it says',
    where,
  );
};

/** Copies charts that `Chart.yaml` names as `file://…` into `charts/`, where Helm looks for them; `stage` copies one. */
export const stageLocalDependencies = async (
  chartDir: string,
  chartPath: string,
  limits: Limits,
  readManifest: ReadManifest,
  stage: (path: string, from: string, into: string) => Promise<void>,
  level = 0,
): Promise<void> => {
  if (level > MAX_NESTED_CHARTS)
    throw fail('TooLarge', 'the charts are nested too deeply', 'use fewer levels', { file: chartPath });
  const file = `${chartPath}/Chart.yaml`;
  const text = await readFile(join(chartDir, 'Chart.yaml'), 'utf8').catch(() => '');
  const [document] = await readManifest(text, file);
  const { dependencies } = (document?.value ?? {}) as { dependencies?: unknown };
  for (const dependency of Array.isArray(dependencies) ? dependencies : []) {
    const { name, repository } = (dependency ?? {}) as { name?: unknown; repository?: unknown };
    if (typeof name !== 'string' || typeof repository !== 'string' || !repository.startsWith('file://')) continue;
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name))
      throw fail('HelmFailed', 'a dependency has no valid name', 'mend its name', { file });
    const vendored = await readdir(join(chartDir, 'charts')).catch(() => []);
    if (vendored.some((entry) => entry === name || entry.startsWith(`${name}-`))) continue;
    const into = join(chartDir, 'charts', name);
    await mkdir(into, { recursive: true });
    const path = repository.slice('file://'.length);
    await stage(path, chartPath, into);
    await stageLocalDependencies(into, `${chartPath}/${path}`, limits, readManifest, stage, level + 1);
  }
};
