import { strykerPlugins as mochas } from '@stryker-mutator/mocha-runner';

/**
 * Stryker starts a new process for each mutant whose code also runs while its file is loaded, as functions that make a schema do. Mutants
 * are only switched on while tests run (`ignoreStatic`), so that nothing which was loaded is mutated: this runner is told that it has been reloaded.
 */
const keptLoaded = (create) => {
  const createKept = (injector) =>
    Object.assign(create(injector), { capabilities: () => Promise.resolve({ reloadEnvironment: true }) });
  return Object.assign(createKept, { inject: create.inject });
};

export const strykerPlugins = mochas.map((mocha) => ({
  ...mocha,
  name: `${mocha.name}-kept-loaded`,
  factory: keptLoaded(mocha.factory),
}));
