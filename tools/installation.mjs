/** Brings `node_modules` up to date and finds the pinned Node. Plain Node 20, no packages: this runs before there are any. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const STAMP = join(root, 'node_modules/.breakwater-installed');

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled(digest) {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return true;
  // npm writes this file when it is done, so an installation that somebody made by hand counts too.
  const mark = join(root, 'node_modules/.package-lock.json');
  return existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

export function install() {
  const digest = lockDigest();
  if (!isInstalled(digest)) {
    console.log('installing packages: npm ci (once, some minutes) …');
    const started = Date.now();
    const { status } = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
      cwd: root,
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`npm ci failed (exit ${status}); is the package registry reachable?`);
    console.log(`packages installed in ${Math.round((Date.now() - started) / 1000)} s`);
  }
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== digest) writeFileSync(STAMP, digest);
}

/** Node 24 of at least the minor that is needed: this one, or the one that npm has brought. */
export function pinnedNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major === 24 && minor >= 15) return process.execPath;
  const local = join(root, 'node_modules/.bin/node');
  if (existsSync(local)) return local;
  throw new Error(
    `Breakwater needs Node 24.15 or later of 24; this is ${process.version}, and npm has none for ${process.platform}-${process.arch}`,
  );
}

export function childEnvironment(node) {
  const path = [dirname(node), join(root, 'node_modules/.bin'), process.env.PATH ?? ''].join(':');
  return { ...process.env, PATH: path };
}
