import { parseArgs } from 'node:util';
import { BENCHES } from './benches.ts';
import { type Finding, machine, tableOf } from './report.ts';
import { runSimulators } from './simulator-role.ts';
import { runWorker } from './worker-role.ts';

const help =
  (): string => `Measures Breakwater against simulated API servers. Everything is measured in this run, floors included.

  --only NAME     this benchmark alone; may be given more than once
  --clusters N    how many clusters, instead of each benchmark's default
  --runs N        how often the staged rollout is repeated (default 5)
  --rollouts N    rollouts in flight at the restart (default 100)
  --json          figures for scripts instead of tables
  --help

${Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(16)}${about}`)
  .join('\n')}
`;

/** Other processes of the same benchmark are this program again. */
const ROLES: Readonly<Record<string, () => void>> = { simulator: runSimulators, worker: runWorker };

const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name}: ${text} is not a whole number above 0`);
  return value;
};

class UsageError extends Error {
  override readonly name = 'UsageError';
}

const readOptions = () => {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: Object.keys(BENCHES) },
        clusters: { type: 'string' },
        runs: { type: 'string', default: '5' },
        rollouts: { type: 'string', default: '100' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const main = async (): Promise<void> => {
  const values = readOptions();
  if (values.help) {
    process.stdout.write(help());
    return;
  }
  const unknown = values.only.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined)
    throw new UsageError(`--only: there is no ${unknown}; there are ${Object.keys(BENCHES).join(', ')}`);
  const options = {
    clusters: values.clusters === undefined ? null : whole('clusters', values.clusters),
    runs: whole('runs', values.runs),
    rollouts: whole('rollouts', values.rollouts),
  };
  const before = machine();
  const { cpu, cores, memoryGiB, node, load } = before;
  if (!values.json)
    process.stdout.write(`${cores} × ${cpu}, ${memoryGiB} GiB, Node ${node}, load ${load}; servers are simulated\n\n`);
  const findings: Finding[] = [];
  for (const name of values.only) {
    if (process.stderr.isTTY) process.stderr.write(`measuring ${name} …\n`);
    const finding = await BENCHES[name]!.run(options);
    findings.push(finding);
    if (!values.json) process.stdout.write(`${tableOf(finding)}\n`);
  }
  if (values.json) {
    const results = findings.map(({ name, figures }) => ({ name, figures }));
    process.stdout.write(`${JSON.stringify({ machine: before, results }, null, 2)}\n`);
  }
};

const role = process.argv.find((argument) => argument.startsWith('--role='))?.slice('--role='.length);
if (role === undefined) {
  main().catch((error: unknown) => {
    const usage = error instanceof UsageError;
    process.stderr.write(`bench: ${usage ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = usage ? 2 : 1;
  });
} else ROLES[role]?.();
