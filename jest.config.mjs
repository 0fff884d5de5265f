/**
 * Two projects: `unit` (pure, fast) and `integration` (`*.int-spec.ts`: real servers).
 * Both run as ES modules; `tools/bootstrap.mjs test` sets the flag that Jest needs for it.
 */
const swc = [
  '@swc/jest',
  {
    jsc: { parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true }, target: 'es2024' },
    module: { type: 'es6' },
  },
];
const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: {
    '^@breakwater/(domain|application|platform|testing)$': '<rootDir>/libs/$1/src/index.ts',
    '^@breakwater/(kube|git|render|store-postgres|queue-bullmq|credentials|gates)$':
      '<rootDir>/libs/adapters/$1/src/index.ts',
    '^@breakwater/(api|git-sync|rollout-worker|simulator|cli|standalone)$': '<rootDir>/apps/$1/src/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  globalSetup: '<rootDir>/tools/jest-setup.mjs',
  setupFiles: ['<rootDir>/tools/jest-seed.mjs'],
};

export default {
  testSequencer: '<rootDir>/tools/jest-sequencer.mjs',
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs,test,tools}/**/*.spec.ts'] },
    { ...shared, displayName: 'integration', testMatch: ['<rootDir>/{apps,libs,test}/**/*.int-spec.ts'] },
  ],
};
