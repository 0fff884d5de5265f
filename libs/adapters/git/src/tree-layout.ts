import type { RepositoryFile } from '@breakwater/application';
import { RepositoryError } from '@breakwater/application';

const MAX_PATH = 1024;
const MAX_HOPS = 40;

const hostile = (message: string): RepositoryError =>
  new RepositoryError('HostileTree', message, { remedy: 'remove the path from the repository' });

/** Refuses trees that an ordinary `git add` cannot make: `..`, `.git`, an entry that is a link and a directory at once. */
export const checkPaths = (files: readonly RepositoryFile[]): void => {
  const seen = new Set<string>();
  const directories = new Set<string>();
  for (const { path } of files) {
    checkPath(path);
    if (seen.has(path)) throw hostile(`the tree has two entries for ${JSON.stringify(path)}`);
    seen.add(path);
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      directories.add(path.slice(0, slash));
    }
  }
  for (const path of seen) {
    if (directories.has(path)) throw hostile(`${JSON.stringify(path)} is a file and a directory at once`);
  }
};

const checkPath = (path: string): void => {
  const shown = JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
  if (Buffer.byteLength(path) > MAX_PATH) throw hostile(`the path ${shown} is longer than ${MAX_PATH} bytes`);
  if (path.includes('\0') || path.includes('\\')) throw hostile(`the path ${shown} has a forbidden character`);
  for (const part of path.split('/')) {
    if (
      part === '' ||
      part === '.' ||
      part === '..' ||
      part.toLowerCase() === '.git' ||
      Buffer.byteLength(part) > 255
    ) {
      throw hostile(`the path ${shown} has a forbidden part`);
    }
  }
};

export type LinkTarget =
  { readonly kind: 'inside'; readonly path: string } | { readonly kind: 'outside' } | { readonly kind: 'loop' };

/**
 * Where a path of the tree leads when every link on the way is followed, judged without touching a file system. `links` maps
 * the tree's symlinks to their targets. A path that leads nowhere in the tree is `inside` all the same.
 */
export const followLinks = (links: ReadonlyMap<string, string>, path: string): LinkTarget => {
  let hops = 0;
  let rest = path.split('/');
  let done: string[] = [];
  while (rest.length > 0) {
    const [part = '', ...others] = rest;
    rest = others;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (done.pop() === undefined) return { kind: 'outside' };
      continue;
    }
    done.push(part);
    const target = links.get(done.join('/'));
    if (target === undefined) continue;
    if (target.startsWith('/')) return { kind: 'outside' };
    hops += 1;
    if (hops > MAX_HOPS) return { kind: 'loop' };
    done = done.slice(0, -1);
    rest = [...target.split('/'), ...rest];
  }
  return { kind: 'inside', path: done.join('/') };
};
