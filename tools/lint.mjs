/** Everything that reads the sources without running them; each check runs even when one before it has failed. */
import { spawnSync } from 'node:child_process';

const CHECKS = [
  // The boundaries between libraries are read from Nx's graph; without it that rule would pass everything.
  ['nx', 'graph', '--file=dist/graph.json'],
  ['eslint', '.'],
  ['tsc', '-p', 'tsconfig.json', '--noEmit'],
  ['prettier', '--check', '.'],
];

const failed = [];
for (const [program, ...args] of CHECKS) {
  console.log(`> ${program} ${args.join(' ')}`);
  const { status } = spawnSync(program, args, {
    stdio: 'inherit',
    env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' },
  });
  if (status !== 0) failed.push(program);
}
console.log(failed.length === 0 ? 'lint: clean' : `lint: ${failed.join(', ')} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
