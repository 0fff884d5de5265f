import { statSync } from 'node:fs';
import { UsageError } from './run-program.ts';

/**
 * The path, where there is a directory. A misspelt one is found at the start, and not cluster by cluster.
 * @param setting how the user named it, for the message
 * @throws {UsageError}
 */
export const existingDirectory = (setting: string, path: string): string => {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new UsageError(`${setting}: there is no directory ${path}: make it, or name another one`);
};
