import TestSequencer from '@jest/test-sequencer';

/**
 * Suites that take minutes, the longest first. One that begins last keeps the whole run, and a machine that has never run them (Jest
 * remembers how long a suite took) would take them in order of the sizes of their files.
 */
const LONGEST = [
  'test/e2e/outages.int-spec.ts',
  'test/properties/rollout-rules.spec.ts',
  'test/e2e/commands.int-spec.ts',
  'test/e2e/writes.int-spec.ts',
  'test/e2e/changes.int-spec.ts',
  'test/e2e/bad-input.int-spec.ts',
  'test/e2e/gates.int-spec.ts',
  'test/faults/overlapping-rollouts.int-spec.ts',
  'test/e2e/from-git.int-spec.ts',
  'test/e2e/windows.int-spec.ts',
  'test/e2e/rollback-matrix.int-spec.ts',
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
