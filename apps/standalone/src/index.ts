export { readOptions } from './options.ts';
export type { StandaloneOptions } from './options.ts';
export { startStandalone } from './standalone.ts';
export type { Standalone } from './standalone.ts';
