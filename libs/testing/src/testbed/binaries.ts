import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  appendFileSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { recipeFile } from './checkout.ts';
import { withLock } from './lock-file.ts';

const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'etcd', 'kwok'] as const;
const BUILD_INPUTS = ['build.sh', 'kube/go.mod', 'kube/go.sum', 'etcd/go.mod', 'etcd/go.sum'];

export interface Binaries {
  readonly dir: string;
  readonly from: 'KUBEBUILDER_ASSETS' | 'PATH' | 'cache';
}

/** Outside of the checkout, so that a fresh clone finds what an earlier one has built. */
export function cacheDir(): string {
  const base =
    process.env['BREAKWATER_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'breakwater');
  return join(base, 'testbed');
}

function hasPrograms(dir: string): boolean {
  return PROGRAMS.every((program) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function builtDir(): string {
  const hash = createHash('sha256');
  for (const input of BUILD_INPUTS)
    hash
      .update(input)
      .update('\0')
      .update(readFileSync(recipeFile(input)));
  hash.update(`${process.platform}-${process.arch}`);
  return join(cacheDir(), hash.digest('hex').slice(0, 16));
}

/**
 * The programs, wherever a complete set of them is. Sets are never mixed: an API server of one version with the controllers
 * of another tests what nobody runs.
 */
export function findBinaries(): Binaries | null {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets && hasPrograms(assets)) return { dir: assets, from: 'KUBEBUILDER_ASSETS' };
  const onPath = (process.env['PATH'] ?? '').split(delimiter).find((dir) => dir !== '' && hasPrograms(dir));
  if (onPath) return { dir: onPath, from: 'PATH' };
  const built = builtDir();
  return hasPrograms(built) ? { dir: built, from: 'cache' } : null;
}

/** Why the programs can neither be found nor built here, or null when they can. */
export function whyNotBuildable(): string | null {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (go.error || go.status !== 0) {
    return 'no kube-apiserver, kube-controller-manager, etcd and kwok in $KUBEBUILDER_ASSETS or PATH, and no Go to build them with';
  }
  return null;
}

/** Finds the programs or builds them, once for all checkouts. Throws with the tail of the build's output when it fails. */
export async function ensureBinaries(print: (line: string) => void): Promise<Binaries> {
  const found = findBinaries();
  if (found) return found;
  const obstacle = whyNotBuildable();
  if (obstacle) throw new Error(obstacle);
  const target = builtDir();
  return withLock(
    `${target}.lock`,
    async () => {
      const meanwhile = findBinaries();
      if (meanwhile) return meanwhile;
      const dir = mkdtempSync(`${target}.building-`);
      try {
        await build(dir, print);
        rmSync(target, { recursive: true, force: true });
        renameSync(dir, target);
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
      return { dir: target, from: 'cache' };
    },
    () => print('another process is building the programs of the test bed: waiting for it'),
  );
}

async function build(dir: string, print: (line: string) => void): Promise<void> {
  const started = Date.now();
  const elapsed = (): string => `${Math.round((Date.now() - started) / 1000)} s`;
  print(`building the programs of the test bed from pinned Go modules, once (some minutes) → ${cacheDir()}`);
  mkdirSync(dir, { recursive: true });
  const log = join(cacheDir(), 'build.log');
  const tail: string[] = [];
  let step = 'preparing';
  const alive = setInterval(() => print(`  ${step} … ${elapsed()}`), 20_000);
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn('bash', [recipeFile('build.sh'), dir], { stdio: ['ignore', 'pipe', 'pipe'] });
      const onText = (text: string): void => {
        appendFileSync(log, text);
        for (const line of text.split('\n').filter((each) => each !== '')) {
          tail.push(line);
          if (tail.length > 15) tail.shift();
          if (line.startsWith('building ')) {
            step = line;
            print(`  ${line} (${elapsed()})`);
          }
        }
      };
      child.stdout.setEncoding('utf8').on('data', onText);
      child.stderr.setEncoding('utf8').on('data', onText);
      child.on('error', reject);
      child.on('close', (code) => {
        if (code === 0 && hasPrograms(dir)) resolve();
        else reject(new Error(`building the test bed failed (exit ${code}); log: ${log}\n${tail.join('\n')}`));
      });
    });
    print(`  built in ${elapsed()}`);
  } finally {
    clearInterval(alive);
  }
}
