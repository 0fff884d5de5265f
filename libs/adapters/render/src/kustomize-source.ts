import type { RenderValues } from '@breakwater/application';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KUSTOMIZATION_FILES } from './plain-source.ts';
import { fail } from './render-failure.ts';
import type { SandboxResult } from './sandbox.ts';
import type { SourceTree } from './source-files.ts';
import { decodeText } from './source-files.ts';
import type { ReadManifest } from './worker/documents-reader.ts';
import type { SourceText } from './worker/work.ts';

export interface KustomizeRun {
  readonly tree: SourceTree;
  readonly path: string;
  /** Null: no substitution. */
  readonly values: RenderValues | null;
  /** Empty, and for this run alone. */
  readonly workDir: string;
  readonly run: (args: readonly string[], directory: string) => Promise<SandboxResult>;
  readonly readManifest: ReadManifest;
  readonly substitute: (text: string, values: RenderValues, file: string) => Promise<string>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields whose entries are files or directories with kustomizations of their own. */
const ROOTS = ['resources', 'bases', 'components', 'generators', 'transformers', 'validators'];
const HELM_FIELDS = ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'];
const MAX_ROOTS = 200;

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asFields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const strings = (values: readonly unknown[]): string[] => values.filter((value) => typeof value === 'string');

/**
 * Copies what a kustomization uses into a directory of its own and builds it there. Before Kustomize runs, everything that it would
 * fetch is refused: it takes any path that is not there for an address.
 */
export const renderKustomize = async (kustomize: KustomizeRun): Promise<SourceText> => {
  const stage = join(kustomize.workDir, 'stage');
  await new Stager(kustomize, stage).take(kustomize.path);
  const target = join(stage, kustomize.path);
  const { status, stdout, stderr } = await kustomize.run(['kustomize', '--', target], stage);
  if (status !== 0) {
    const message = stderr
      .replaceAll(`${stage}/`, '')
      .replaceAll(stage, '.')
      .replace(/^error: /, '')
      .trim()
      .slice(0, 1000);
    throw fail('KustomizeFailed', message, 'run `kubectl kustomize` on the directory and mend what it says', {
      file: kustomize.path,
    });
  }
  return { kind: 'kustomize', file: kustomize.path, text: decodeText(stdout, kustomize.path) };
};

class Stager {
  private readonly run: KustomizeRun;
  private readonly stage: string;
  private readonly taken = new Set<string>();
  private readonly copied: string[] = [];
  private readonly substituted = new Set<string>();

  constructor(run: KustomizeRun, stage: string) {
    this.run = run;
    this.stage = stage;
  }

  /** Takes over one root, and then every root that it names. */
  async take(root: string): Promise<void> {
    if (this.taken.has(root)) return;
    this.taken.add(root);
    if (this.taken.size > MAX_ROOTS) {
      throw fail('TooLarge', `more than ${MAX_ROOTS} kustomizations build on each other`, 'use fewer', { file: root });
    }
    await this.copy(root);
    const file = await this.kustomizationOf(root);
    const text = await this.substituteFile(file);
    const [document] = await this.run.readManifest(text, file);
    const fields = asFields(document?.value);
    for (const field of HELM_FIELDS) {
      if (fields[field] !== undefined) {
        const remedy = 'use the chart itself as the source, or commit what it renders to';
        throw fail('PluginRefused', `${field}: charts inside a kustomization are not rendered`, remedy, {
          file,
          field,
        });
      }
    }
    for (const field of ROOTS) {
      for (const entry of strings(asList(fields[field]))) await this.takeEntry(root, entry, file, field);
    }
    for (const { field, path } of loadedFiles(fields)) await this.takeFile(root, path, file, field);
  }

  private async copy(root: string): Promise<void> {
    const known = this.copied.some((above) => above === '' || root === above || root.startsWith(`${above}/`));
    if (known) return;
    this.copied.push(root);
    await mkdir(join(this.stage, root), { recursive: true });
    await this.run.tree.copy(root, this.stage);
    // A root that lies above others was copied over them, with their references unreplaced.
    const redo = [...this.substituted].filter((path) => root === '' || path.startsWith(`${root}/`));
    for (const path of redo) this.substituted.delete(path);
    for (const path of redo) await this.substituteFile(path);
  }

  private async kustomizationOf(root: string): Promise<string> {
    const files: string[] = [];
    for (const name of KUSTOMIZATION_FILES) {
      const path = root === '' ? name : `${root}/${name}`;
      if ((await this.run.tree.find(path))?.type === 'file') files.push(path);
    }
    const [file, other] = files;
    if (file === undefined) {
      throw fail('SourceNotFound', `${JSON.stringify(root)} has no kustomization.yaml`, 'add one, or name its files', {
        file: root,
      });
    }
    if (other !== undefined)
      throw fail('SourceAmbiguous', `there are two kustomizations: ${files.join(', ')}`, 'remove one', { file });
    return file;
  }

  private async takeEntry(root: string, entry: string, file: string, field: string): Promise<void> {
    // Generators and transformers may be written out in place.
    if (entry.includes('\n')) return;
    const path = this.resolve(root, entry, file, field);
    const found = await this.run.tree.find(path);
    if (found === null) throw this.missing(entry, file, field);
    if (found.type === 'directory') await this.take(path);
    else await this.substituteFile(path);
  }

  private async takeFile(root: string, entry: string, file: string, field: string): Promise<void> {
    const path = this.resolve(root, entry, file, field);
    const found = await this.run.tree.find(path);
    if (found === null) throw this.missing(entry, file, field);
    if (field !== 'configMapGenerator' && field !== 'secretGenerator') await this.substituteFile(path);
  }

  private resolve(root: string, entry: string, file: string, field: string): string {
    if (isRemote(entry)) throw this.remote(entry, file, field);
    try {
      return this.run.tree.clean(entry, root);
    } catch {
      const remedy = 'name a path inside the repository';
      throw fail('SourceOutsideTree', `${JSON.stringify(entry)} is not in the repository`, remedy, { file, field });
    }
  }

  private remote(entry: string, file: string, field: string): Error {
    const remedy = 'commit a copy to the repository and name that';
    return fail('RemoteResource', `${JSON.stringify(entry)} would be fetched from elsewhere`, remedy, { file, field });
  }

  private missing(entry: string, file: string, field: string): Error {
    if (/^[\w.-]+\.[a-z]{2,}[:/]/i.test(entry) || entry.includes('?')) return this.remote(entry, file, field);
    return fail('SourceNotFound', `${JSON.stringify(entry)} does not exist`, 'mend the path', { file, field });
  }

  private async substituteFile(path: string): Promise<string> {
    const staged = join(this.stage, path);
    if ((await this.run.tree.find(path)) === null || !path.split('/').at(-1)) return '';
    const bytes = await readFile(staged).catch(async () => {
      // Outside of every root: Kustomize refuses it, and says so better than we could.
      return new Uint8Array();
    });
    const text = decodeText(bytes, path);
    if (this.run.values === null || this.substituted.has(path)) return text;
    this.substituted.add(path);
    const replaced = text.includes('${') ? await this.run.substitute(text, this.run.values, path) : text;
    if (replaced !== text) await writeFile(staged, replaced);
    return replaced;
  }
}

const isRemote = (entry: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(entry) || /^(?:git::|[\w.-]+@[\w.-]+:)/i.test(entry);

/** Every other file that Kustomize loads by a path; it would fetch `https://…` in any of these places. */
function* loadedFiles(fields: Fields): Iterable<{ field: string; path: string }> {
  for (const field of ['patches', 'patchesJson6902', 'replacements']) {
    for (const entry of asList(fields[field])) {
      const { path } = asFields(entry);
      if (typeof path === 'string' && path !== '') yield { field, path };
    }
  }
  for (const field of ['patchesStrategicMerge', 'crds', 'configurations']) {
    for (const path of strings(asList(fields[field]))) if (!path.includes('\n')) yield { field, path };
  }
  for (const field of ['configMapGenerator', 'secretGenerator']) {
    for (const entry of asList(fields[field])) {
      const { files, envs, env } = asFields(entry);
      for (const pair of strings(asList(files)))
        yield { field, path: pair.includes('=') ? pair.slice(pair.indexOf('=') + 1) : pair };
      for (const path of strings([...asList(envs), env])) yield { field, path };
    }
  }
  const { path } = asFields(fields['openapi']);
  if (typeof path === 'string') yield { field: 'openapi', path };
}
