/** Mutation testing: `npm run mutate [-- --force] [-- PATH…]`; see docs/mutation-testing.md. */
import { Stryker } from '@stryker-mutator/core';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { percentage, sumUp } from './mutation/share.mjs';

const ROOT = join(import.meta.dirname, '..');
const DOMAIN = 'libs/domain/src';
/** Of the mutants in what was asked for. */
const LEAST_SHARE = 0.9;

const HELP = `usage: npm run mutate -- [--force] [PATH...]

Breaks the domain in thousands of small ways, one at a time, and looks whether a test notices.
PATH is a file or folder in ${DOMAIN}, default: all of it. The tests are those beside it and
the histories of the state machine (test/golden, test/properties).
What was found before is taken over where neither the code nor its tests have changed; --force tests all anew.

  npm run mutate -- ${DOMAIN}/rollout

Ends with the share that was caught, and with status 1 when that is below ${100 * LEAST_SHARE} %.`;

function parse(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, force: { type: 'boolean', default: false } },
  });
  const paths = (positionals.length === 0 ? [DOMAIN] : positionals).map((path) => relative(ROOT, resolve(path)));
  for (const path of paths) {
    if (!existsSync(join(ROOT, path))) throw new Error(`${path}: no such file or folder`);
    if (path !== DOMAIN && !path.startsWith(`${DOMAIN}/`)) throw new Error(`${path}: only ${DOMAIN} is mutated`);
  }
  return { ...values, paths };
}

const isFolder = (path) => statSync(join(ROOT, path)).isDirectory();

/** Specs in the folder, and those about its fields in documents. */
function specsFor(path) {
  const folder = isFolder(path) ? path : dirname(path);
  const fields = `${DOMAIN}/documents/${relative(DOMAIN, folder).split('/')[0]}.spec.ts`;
  return [`${folder}/${isFolder(path) ? '**/' : ''}*.spec.ts`, ...(existsSync(join(ROOT, fields)) ? [fields] : [])];
}

async function optionsFor(paths) {
  const { default: config } = await import('../stryker.config.mjs');
  const excluded = config.mutate.filter((pattern) => pattern.startsWith('!'));
  const histories = config.mochaOptions.spec.filter((pattern) => pattern.startsWith('test/'));
  const nearby = [...new Set(paths.flatMap(specsFor))];
  return {
    mutate: [...paths.map((path) => (isFolder(path) ? `${path}/**/*.ts` : path)), ...excluded],
    // A mutant is done with when the first test fails, and that is most often one beside the code.
    mochaOptions: { ...config.mochaOptions, spec: [...nearby, ...histories] },
  };
}

function print({ folders, all, survivors }) {
  for (const { place, mutator, before, after, status } of survivors) {
    console.log(`${place} ${mutator}, ${status}\n  - ${before}\n  + ${after}`);
  }
  console.log('\nfolder        mutants  caught  missed  left out    share');
  for (const [name, tally] of [...folders, ['all', all]]) {
    const numbers = [tally.counted, tally.caught, tally.counted - tally.caught].map((count) =>
      String(count).padStart(8),
    );
    console.log(
      `${name.padEnd(13)}${numbers.join('')}${String(tally.ignored).padStart(10)}${percentage(tally).padStart(9)}`,
    );
  }
}

async function main() {
  const { help, force, paths } = parse(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return 0;
  }
  process.chdir(ROOT);
  await new Stryker({ ...(await optionsFor(paths)), force }).runMutationTest();
  const summary = sumUp(JSON.parse(readFileSync('coverage/mutation/report.json', 'utf8')), paths);
  print(summary);
  return summary.all.caught < LEAST_SHARE * summary.all.counted ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
