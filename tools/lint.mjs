/** Everything that reads the sources without running them; each check runs even when another has failed. */
import { spawn } from 'node:child_process';

/** Side by side; the checks of one row one after another. */
const ROWS = [
  [
    // The boundaries between libraries are read from Nx's graph; without it that rule would pass everything.
    ['nx', 'graph', '--file=dist/graph.json'],
    ['eslint', '.'],
  ],
  [
    ['tsc', '-p', 'tsconfig.json', '--noEmit'],
    ['prettier', '--check', '.'],
  ],
];

/** Resolves to whether it passed; what it has to say is printed as a whole. */
function check([program, ...args]) {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' };
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    const ended = (passed, more = '') => {
      process.stdout.write(`> ${program} ${args.join(' ')}\n${Buffer.concat(output)}${more}`);
      resolve(passed);
    };
    child.once('close', (status) => ended(status === 0));
    child.once('error', (error) => ended(false, `${error.message}\n`));
  });
}

const failed = [];
await Promise.all(
  ROWS.map(async (row) => {
    for (const command of row) if (!(await check(command))) failed.push(command[0]);
  }),
);
console.log(failed.length === 0 ? 'lint: clean' : `lint: ${failed.join(', ')} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
