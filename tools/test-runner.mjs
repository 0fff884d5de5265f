/**
 * Runs the unit tests, then the ones against real servers, and ends with the line `N passed, N failed, N skipped`. Arguments go to Jest;
 * `--unit` and `--integration` choose one of the two. With REQUIRE_KUBE=1 real API servers must be there.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBinaries } from '../libs/testing/src/testbed/binaries.ts';
import { stopTestbed, testbedStatus } from '../libs/testing/src/testbed/daemon-client.ts';

const root = join(import.meta.dirname, '..');
const required = process.env.REQUIRE_KUBE === '1';
const PROJECTS = ['unit', 'integration'];

function chosenProjects(args) {
  const chosen = PROJECTS.filter((project) => args.includes(`--${project}`));
  return {
    projects: chosen.length > 0 ? chosen : PROJECTS,
    jestArgs: args.filter((arg) => !PROJECTS.includes(arg.slice(2))),
  };
}

/** Suites against real servers wait for them more than half of the time: two more of them than there are cores keep the cores busy. */
function workers(project) {
  const cores = availableParallelism();
  return process.env.BREAKWATER_TEST_WORKERS ?? String(project === 'unit' ? cores : Math.min(cores, 3) + 2);
}

let running = null;

function endRun(signal) {
  try {
    if (running?.pid !== undefined) process.kill(-running.pid, signal);
  } catch {
    // It has just ended by itself.
  }
}

function runJest(project, jestArgs, outputFile) {
  const args = [
    '--experimental-vm-modules',
    // The warning that this is experimental, once per worker, tells a reader nothing.
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    `--selectProjects=${project}`,
    '--passWithNoTests',
    '--json',
    `--outputFile=${outputFile}`,
    `--maxWorkers=${workers(project)}`,
    // A guard against hanging, not a measure: machines are shared and slow.
    '--testTimeout=60000',
    // A handle that a suite left open must not keep the whole run.
    '--forceExit',
    ...jestArgs,
  ];
  return new Promise((resolve) => {
    // Jest prints its report on stderr, and the JSON a second time on stdout. In a group of its own, to be ended with its workers.
    running = spawn(process.execPath, args, { cwd: root, stdio: ['inherit', 'ignore', 'inherit'], detached: true });
    running.once('exit', (code) => resolve(code ?? 1));
    running.once('error', () => resolve(1));
  });
}

/** What a run comes to. A suite that could not even be loaded is a failure, and so is a Jest that died. */
function readResult(project, outputFile, exitCode) {
  let report;
  try {
    report = JSON.parse(readFileSync(outputFile, 'utf8'));
  } catch {
    return { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0, skippedNames: [] };
  }
  const broken = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
  const failed = report.numFailedTests + broken.length;
  const skippedNames = report.testResults.flatMap((suite) =>
    suite.assertionResults
      .filter((test) => test.status === 'pending')
      .map((test) => test.ancestorTitles[0] ?? test.title),
  );
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
    skippedNames: skippedNames.map((name) => `${project}: ${name}`),
  };
}

/** False when tests against real API servers cannot run but must. */
async function prepareTestbed() {
  try {
    const { dir, from } = await ensureBinaries((line) => console.log(line));
    console.log(`test bed: programs from ${from} (${dir})`);
    return true;
  } catch (error) {
    console.log(`test bed: ${error instanceof Error ? error.message : String(error)}`);
    console.log(required ? 'REQUIRE_KUBE=1: this is a failure' : 'tests against real API servers are skipped');
    return !required;
  }
}

/** The bed ends with us, unless somebody else has leased clusters from it; then it ends after them. */
async function stopBed() {
  try {
    await stopTestbed('unused');
    for (let attempt = 0; attempt < 100 && (await testbedStatus()) !== null; attempt++) await delay(100);
  } catch {
    // It was about to end by itself.
  }
}

async function main() {
  const { projects, jestArgs } = chosenProjects(process.argv.slice(2));
  const total = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };
  const outputDir = mkdtempSync(join(tmpdir(), 'breakwater-test-'));
  try {
    for (const project of projects) {
      if (project === 'integration' && !(await prepareTestbed())) {
        total.failed++;
        continue;
      }
      console.log(`\n${project} tests`);
      const outputFile = join(outputDir, `${project}.json`);
      const exitCode = await runJest(project, jestArgs, outputFile);
      const result = readResult(project, outputFile, exitCode);
      for (const key of ['passed', 'failed', 'skipped']) total[key] += result[key];
      total.skippedNames.push(...result.skippedNames);
    }
  } finally {
    if (projects.includes('integration')) await stopBed();
    rmSync(outputDir, { recursive: true, force: true });
  }
  if (total.skippedNames.length > 0) {
    console.log('\nskipped:');
    for (const name of new Set(total.skippedNames)) console.log(`  ${name}`);
  }
  const nothing = total.passed + total.failed + total.skipped === 0;
  if (nothing) console.log('\nno test was run: that is a failure');
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && !nothing ? 0 : 1;
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(signal, () => endRun(signal));
}
process.exitCode = await main();
