export { processIo } from './cli-io.ts';
export type { CliIo } from './cli-io.ts';
export { createProgram, runCli } from './program.ts';
