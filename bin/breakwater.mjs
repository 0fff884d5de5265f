#!/usr/bin/env node
/** `breakwater`, also `kubectl breakwater`: the command line, bundled at its first use, under the pinned Node. */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const program = join(here, '../dist/apps/cli/main.mjs');
const isPinned = process.versions.node.startsWith('24.');

try {
  if (existsSync(program) && isPinned) {
    await import(pathToFileURL(program).href);
  } else {
    const { install, pinnedNode, childEnvironment } = await import('../tools/installation.mjs');
    if (!existsSync(program)) {
      install();
      const { build } = await import('../tools/build.mjs');
      await build();
    }
    const node = pinnedNode();
    // This file again, by the name that it was called by: the usage shows it.
    const { status, signal } = spawnSync(node, process.argv.slice(1), {
      stdio: 'inherit',
      env: childEnvironment(node),
    });
    process.exitCode = signal ? 128 : (status ?? 1);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
