/** Bundles the programs into `dist` with esbuild; packages stay outside of the bundles. Takes less than two seconds. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '..');

/** Threads that the programs start: source → bundle. Found by name in `dist` by what starts them. */
const WORKERS = {
  'libs/adapters/render/src/worker/main.ts': 'workers/render.mjs',
};

/** What to bundle besides `apps/<app>/src/main.ts`: source → bundle. */
const EXTRA = {
  'apps/standalone/src/demo.ts': 'apps/standalone/demo.mjs',
  'test/bench/main.ts': 'bench/main.mjs',
  'test/faults/campaign/main.ts': 'faults/main.mjs',
  ...WORKERS,
};

function entryPoints() {
  const mains = readdirSync(join(root, 'apps'))
    .sort()
    .map((app) => [`apps/${app}/src/main.ts`, `apps/${app}/main.mjs`]);
  return [...mains, ...Object.entries(EXTRA)].filter(([source]) => existsSync(join(root, source)));
}

/** A program or thread that is just starting from a bundle must not read half a file. */
function writeIfChanged({ path, contents }) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return false;
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, contents);
  renameSync(part, path);
  return true;
}

/** Returns how many programs were bundled. Errors in the sources are printed by esbuild and thrown. */
export const build = () => bundleAll(entryPoints());

/** The threads alone: tests run from the sources, but a thread runs from its bundle. */
export const buildWorkers = () => bundleAll(Object.entries(WORKERS));

export function removeWorkers() {
  for (const bundle of Object.values(WORKERS)) rmSync(join(root, 'dist', bundle), { force: true });
}

async function bundleAll(sources) {
  const { build: bundle } = await import('esbuild');
  const entries = sources.map(([source, to]) => ({ in: join(root, source), out: to.replace(/\.mjs$/, '') }));
  if (entries.length === 0) return 0;
  const { outputFiles } = await bundle({
    entryPoints: entries,
    outdir: join(root, 'dist'),
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    sourcemap: true,
    keepNames: true,
    tsconfig: join(root, 'tsconfig.json'),
    loader: { '.sql': 'text' },
    logLevel: 'warning',
  });
  for (const file of outputFiles) writeIfChanged({ path: file.path, contents: Buffer.from(file.contents) });
  return entries.length;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const started = Date.now();
  const programs = await build();
  console.log(`built ${programs} programs into dist in ${Date.now() - started} ms`);
}
