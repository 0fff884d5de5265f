import type { RenderedBundle, Renderer, RenderLimits, RenderRequest, RenderResult } from '@breakwater/application';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackChart } from './chart-archive.ts';
import type { ChartFetcherOptions } from './chart-fetcher.ts';
import { ChartFetcher } from './chart-fetcher.ts';
import { renderHelm, stageLocalDependencies } from './helm-source.ts';
import { renderKustomize } from './kustomize-source.ts';
import { KUSTOMIZATION_FILES, renderPlain } from './plain-source.ts';
import { fail, RenderFailure, unfitPath } from './render-failure.ts';
import type { Limits } from './render-limits.ts';
import { withDefaults } from './render-limits.ts';
import type { NetworkIsolation, SandboxRequest, SandboxResult } from './sandbox.ts';
import { detectIsolation, runSandboxed } from './sandbox.ts';
import { SourceTree } from './source-files.ts';
import type { ToolOptions, Tools } from './tool-binaries.ts';
import { locateTools } from './tool-binaries.ts';
import type { ReadManifest } from './worker/documents-reader.ts';
import type { SourceText } from './worker/work.ts';
import { WorkerPool } from './worker/worker-pool.ts';

export interface LocalRendererOptions {
  readonly tools?: ToolOptions | undefined;
  /** Where renders put their scratch directories. Default: the machine's. */
  readonly workDir?: string | undefined;
  readonly charts: ChartFetcherOptions;
  /** Tools that run at once; each may use the memory of its limit. Default 2. */
  readonly concurrency?: number | undefined;
  /** Threads that read YAML; its own by default. */
  readonly pool?: WorkerPool | undefined;
  /** Where a request does not say otherwise. */
  readonly limits?: RenderLimits | undefined;
}

interface Rendered {
  readonly source: SourceText;
  readonly chart?: NonNullable<RenderedBundle['chart']>;
}

/** Renders with helm and kubectl as separate, confined programs, and reads what they print in threads. */
export class LocalRenderer implements Renderer {
  private readonly options: LocalRendererOptions;
  private readonly charts: ChartFetcher;
  private readonly pool: WorkerPool;
  private tools: Promise<Tools> | null = null;
  private isolation: Promise<NetworkIsolation> | null = null;
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(options: LocalRendererOptions) {
    this.options = options;
    this.free = options.concurrency ?? 2;
    this.pool = options.pool ?? new WorkerPool();
    this.charts = new ChartFetcher(options.charts, async (args, environment, limits) => {
      const home = await this.scratch();
      try {
        const program = (await this.locate()).helm;
        return await this.run({ program, args, directory: home, home, limits, network: { environment } });
      } finally {
        await rm(home, { recursive: true, force: true });
      }
    });
  }

  /** How rendering is kept off the network on this machine; `none` means by settings only. */
  networkIsolation(): Promise<NetworkIsolation> {
    this.isolation ??= detectIsolation();
    return this.isolation;
  }

  async render(request: RenderRequest): Promise<RenderResult> {
    const limits = withDefaults({ ...this.options.limits, ...request.limits });
    const workDir = await this.scratch();
    try {
      if (request.signal?.aborted === true) throw fail('Aborted', 'rendering was stopped', 'try again');
      const { source, chart } = await this.renderSource(request, limits, workDir);
      const { signal, ...asked } = request;
      const bundle = await this.pool.run(
        'bundle',
        { source, request: asked, limits },
        { signal, timeoutMs: limits.readTimeoutMs },
      );
      return chart === undefined ? bundle : { ...bundle, chart };
    } catch (error) {
      if (error instanceof RenderFailure) return { ok: false, errors: error.errors };
      const unfit = unfitPath(error, workDir);
      if (unfit !== null) return { ok: false, errors: unfit.errors };
      throw error;
    } finally {
      await rm(workDir, { recursive: true, force: true });
    }
  }

  private async renderSource(request: RenderRequest, limits: Limits, workDir: string): Promise<Rendered> {
    const tree = request.dir === undefined ? null : await SourceTree.open(request.dir, limits, request.signal);
    if (request.chart !== undefined) return this.renderFetched(request, request.chart, tree, limits, workDir);
    if (tree === null) throw fail('InvalidRequest', 'the application has no source', 'name a path or a chart');
    const path = tree.clean(request.path ?? '');
    const found = await tree.find(path);
    if (found === null) {
      throw fail('SourceNotFound', `the repository has no ${JSON.stringify(path)}`, 'mend source.path', {
        file: path,
        field: 'source.path',
      });
    }
    const has = async (name: string): Promise<boolean> =>
      found.type === 'directory' && (await tree.find(path === '' ? name : `${path}/${name}`))?.type === 'file';
    const isChart = await has('Chart.yaml');
    const isKustomization = (await Promise.all(KUSTOMIZATION_FILES.map(has))).includes(true);
    if (isChart && isKustomization) {
      const remedy = 'keep one of Chart.yaml and kustomization.yaml';
      throw fail('SourceAmbiguous', 'the source is a chart and a kustomization at once', remedy, { file: path });
    }
    if (isChart && request.substitute === true) {
      const remedy = 'remove source.substitute: a chart takes the values themselves';
      throw fail('InvalidRequest', 'substitution is not for charts', remedy, { field: 'source.substitute' });
    }
    if (isChart) return this.renderChart(request, tree, path, limits, workDir);
    const values = request.substitute === true ? (request.values ?? {}) : null;
    if (!isKustomization) return { source: await renderPlain(tree, path, values) };
    const run = this.runner('kubectl', limits, join(workDir, 'home'), request.signal);
    const work = { signal: request.signal, timeoutMs: limits.readTimeoutMs };
    const source = await renderKustomize({
      tree,
      path,
      values,
      workDir,
      run,
      readManifest: this.reader(limits, request.signal),
      substitute: (text, by, file) => this.pool.run('substitute', { text, values: by, file }, work),
    });
    return { source };
  }

  private async renderChart(
    request: RenderRequest,
    tree: SourceTree,
    path: string,
    limits: Limits,
    workDir: string,
  ): Promise<Rendered> {
    const chartDir = join(workDir, 'chart');
    await tree.copy(path, chartDir, path);
    const readManifest = this.reader(limits, request.signal);
    await stageLocalDependencies(chartDir, path, limits, readManifest, async (dependency, from, into) => {
      const source = tree.clean(dependency, from);
      if ((await tree.find(source))?.type !== 'directory') {
        throw fail('SourceNotFound', `the chart ${JSON.stringify(source)} does not exist`, 'mend the dependency', {
          file: from,
        });
      }
      await tree.copy(source, into, source);
    });
    return this.helm(request, tree, chartDir, path, limits, workDir);
  }

  private async renderFetched(
    request: RenderRequest,
    chart: NonNullable<RenderRequest['chart']>,
    tree: SourceTree | null,
    limits: Limits,
    workDir: string,
  ): Promise<Rendered> {
    const { archive, digest } = await this.charts.fetch(chart, limits);
    const shownAs = `${chart.name}-${chart.version}`;
    const chartDir = join(workDir, 'chart');
    await unpackChart(archive, shownAs, chartDir, limits);
    const rendered = await this.helm(request, tree, chartDir, shownAs, limits, workDir);
    return { ...rendered, chart: { name: chart.name, version: chart.version, digest } };
  }

  private async helm(
    request: RenderRequest,
    tree: SourceTree | null,
    chartDir: string,
    shownAs: string,
    limits: Limits,
    workDir: string,
  ): Promise<Rendered> {
    const valuesFiles: string[] = [];
    for (const name of request.helm?.valuesFiles ?? []) {
      if (tree === null)
        throw fail('SourceNotFound', 'there is no repository for values files', 'name a repository', {
          field: 'helm.valuesFiles',
        });
      const path = tree.clean(name, request.path ?? '');
      const found = await tree.find(path);
      if (found?.type !== 'file') {
        throw fail('SourceNotFound', `there is no values file ${JSON.stringify(path)}`, 'mend helm.valuesFiles', {
          file: path,
          field: 'helm.valuesFiles',
        });
      }
      const copy = join(workDir, `values-${valuesFiles.length}.yaml`);
      await writeFile(copy, await tree.text({ path, real: found.real }));
      valuesFiles.push(copy);
    }
    const run = this.runner('helm', limits, join(workDir, 'home'), request.signal);
    return { source: await renderHelm({ request, chartDir, shownAs, valuesFiles, limits, workDir, run }) };
  }

  private reader(limits: Limits, signal: AbortSignal | undefined): ReadManifest {
    const options = { signal, timeoutMs: limits.readTimeoutMs };
    return (text, file) => this.pool.run('manifest', { text, file, limits }, options);
  }

  private runner(
    tool: keyof Tools,
    limits: Limits,
    home: string,
    signal: AbortSignal | undefined,
  ): (args: readonly string[], directory: string) => Promise<SandboxResult> {
    return async (args, directory) => {
      await mkdir(home, { recursive: true });
      return this.run({ program: (await this.locate())[tool], args, directory, home, limits, signal });
    };
  }

  private locate(): Promise<Tools> {
    this.tools ??= locateTools(this.options.tools ?? {});
    this.tools.catch(() => (this.tools = null));
    return this.tools;
  }

  private async scratch(): Promise<string> {
    const parent = this.options.workDir ?? tmpdir();
    await mkdir(parent, { recursive: true });
    return mkdtemp(join(parent, 'breakwater-render-'));
  }

  /** A tool waits for its turn before its clock starts. */
  private async run(request: SandboxRequest): Promise<SandboxResult> {
    const isolation = await this.networkIsolation();
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((turn) => this.waiting.push(turn));
    try {
      return await runSandboxed(request, isolation);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else next();
    }
  }
}
