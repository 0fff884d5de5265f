import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that this code came from; it may have been bundled into `dist` since. */
function findRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'test/testbed/build.sh'))) {
    const parent = dirname(dir);
    if (parent === dir)
      throw new Error('the test bed needs a checkout of Breakwater: test/testbed is not above this file');
    dir = parent;
  }
  return dir;
}

/** Read when needed: a program that only bundles this code must not fail outside of a checkout. */
export const recipeFile = (name: string): string => join(findRoot(), 'test/testbed', name);

/** The bed's own sources; the daemon is run from them, as Node reads TypeScript. */
export const sourceFile = (name: string): string => join(findRoot(), 'libs/testing/src/testbed', name);
