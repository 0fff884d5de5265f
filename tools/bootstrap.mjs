/**
 * The way in on a fresh machine with Node 20 or later, npm and git: `node tools/bootstrap.mjs test|lint|demo|start|bench|faults|mutate|build [arguments]`.
 * Installs packages when they are missing or out of date, bundles the programs, and runs what was asked for under
 * the pinned Node.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment, install, pinnedNode, root } from './installation.mjs';

/** Each command: scripts to run one after the other under the pinned Node; the last one gets the arguments. */
const COMMANDS = {
  test: ['tools/build.mjs', 'tools/test-runner.mjs'],
  lint: ['tools/lint.mjs'],
  demo: ['tools/build.mjs', 'dist/apps/standalone/demo.mjs'],
  start: ['tools/build.mjs', 'dist/apps/standalone/main.mjs'],
  bench: ['tools/build.mjs', 'dist/bench/main.mjs'],
  faults: ['tools/build.mjs', 'dist/faults/main.mjs'],
  mutate: ['tools/mutate.mjs'],
  build: ['tools/build.mjs'],
};

function run(node, script, args, quiet) {
  return new Promise((resolve) => {
    const child = spawn(node, ['--enable-source-maps', join(root, script), ...args], {
      cwd: root,
      stdio: quiet ? ['inherit', 'ignore', 'inherit'] : 'inherit',
      env: childEnvironment(node),
    });
    // A terminal signals the whole group; a supervisor only us.
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    process.on('SIGINT', ignore);
    child.once('exit', (code, signal) => {
      for (const each of signals) process.off(each, forward);
      process.off('SIGINT', ignore);
      resolve(signal ? 128 : (code ?? 1));
    });
    child.once('error', (error) => {
      console.error(String(error));
      resolve(1);
    });
  });
}

function ignore() {}

async function main() {
  const [command = '', ...args] = process.argv.slice(2);
  if (!Object.hasOwn(COMMANDS, command)) {
    console.error(`usage: node tools/bootstrap.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`);
    return 2;
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    console.error(`Node 20 or later is needed to begin with; this is ${process.version}`);
    return 2;
  }
  install();
  const node = pinnedNode();
  const scripts = COMMANDS[command];
  for (const [position, script] of scripts.entries()) {
    if (!existsSync(join(root, script)))
      throw new Error(`${command}: ${script} does not exist: its source is not in this checkout`);
    const last = position === scripts.length - 1;
    const code = await run(node, script, last ? args : [], !last);
    if (code !== 0 || last) return code;
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
