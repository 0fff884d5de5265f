import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Breaks the domain in thousands of small ways and looks whether a test notices: `npm run mutate`, docs/mutation-testing.md. */
export default {
  plugins: ['@stryker-mutator/mocha-runner', './tools/mutation/mocha-runner.mjs'],
  testRunner: 'mocha-kept-loaded',
  // Mocha rather than Jest, which loads every related suite anew for each mutant.
  mochaOptions: {
    require: ['./tools/mutation/mocha-setup.mjs'],
    // Without the random histories: they take long, and so few of them that they do not would reach nothing rare.
    spec: ['test/golden/*.spec.ts', 'test/properties/!(rollout-rules|explain).spec.ts', 'libs/domain/src/**/*.spec.ts'],
  },
  mutate: ['libs/domain/src/**/*.ts', '!**/*.spec.ts', '!**/*.testing.ts', '!**/testing/**'],
  // Other words in a message are for a reader of the diff to judge; a state or reason that is misspelt does not pass tsc.
  mutator: { excludedMutations: ['StringLiteral'] },
  coverageAnalysis: 'perTest',
  // On a busy machine a test that takes long is not one that hangs.
  timeoutFactor: 3,
  timeoutMS: 15_000,
  // Code that runs only while its file is loaded would need a new process and every test for each mutant.
  ignoreStatic: true,
  // Node takes the types away without a look at them.
  disableTypeChecks: false,
  concurrency: 1,
  ignorePatterns: ['/apps', '/coverage', '/deploy', '/dist', '/docs', '/examples', '/.nx'],
  tempDirName: join(tmpdir(), `breakwater-mutation-${process.pid}`),
  cleanTempDir: 'always',
  incremental: true,
  incrementalFile: 'coverage/mutation/incremental.json',
  reporters: ['progress', 'json', 'html'],
  jsonReporter: { fileName: 'coverage/mutation/report.json' },
  htmlReporter: { fileName: 'coverage/mutation/report.html' },
  warnings: { slow: false },
};
