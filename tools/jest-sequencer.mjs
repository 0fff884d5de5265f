import TestSequencer from '@jest/test-sequencer';

/**
 * Suites that take minutes, the longest first, and beside those that need many clusters some that need few. One that begins last keeps the
 * whole run, and a machine that has never run them (Jest remembers how long a suite took) would take them in order of their files' sizes.
 */
const LONGEST = [
  'test/e2e/outages.int-spec.ts',
  'test/properties/rollout-rules.spec.ts',
  'test/e2e/commands.int-spec.ts',
  'test/faults/overlapping-rollouts.int-spec.ts',
  'test/faults/kill-nine.int-spec.ts',
  'test/e2e/changes.int-spec.ts',
  'test/faults/separate-programs.int-spec.ts',
  'test/e2e/writes.int-spec.ts',
  'libs/domain/src/gates/comparison/simulated-gates.spec.ts',
  'test/faults/wake-ups-go-astray.int-spec.ts',
  'test/e2e/bad-input.int-spec.ts',
  'libs/adapters/store-postgres/src/postgres-record.int-spec.ts',
  'apps/git-sync/src/git-sync.int-spec.ts',
  'test/e2e/from-git.int-spec.ts',
  'test/e2e/gates.int-spec.ts',
  'test/e2e/budgets.int-spec.ts',
  'test/e2e/people.int-spec.ts',
  'test/e2e/windows.int-spec.ts',
  'test/e2e/rollback-matrix.int-spec.ts',
  'libs/adapters/kube/src/rollback.int-spec.ts',
  'libs/adapters/store-postgres/src/embedded/embedded-postgres.int-spec.ts',
  'test/e2e/releases.int-spec.ts',
  'test/e2e/health-rules.int-spec.ts',
  'libs/adapters/kube/src/interleaving.int-spec.ts',
  'test/e2e/clock-skew.int-spec.ts',
  'test/e2e/endings.int-spec.ts',
];

const place = ({ path }) => {
  const index = LONGEST.findIndex((suite) => path.endsWith(`/${suite}`));
  return index === -1 ? LONGEST.length : index;
};

export default class LongestFirst extends TestSequencer {
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => place(a) - place(b));
  }
}
