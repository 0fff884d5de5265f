import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { buildSnapshot, readFleetDocuments, selectFleetFiles } from '@breakwater/domain';
import type { LocatedDocument, SnapshotResult } from '@breakwater/domain';
import { CliError } from '../exit-status.ts';
import { printable } from '../output/style.ts';

const FILES = 10_000;
const DOCUMENT_BYTES = 64 * 2 ** 20;
const SKIPPED = new Set(['.git', 'node_modules']);

const assertDirectory = (path: string): void => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return;
  throw new CliError(`${printable(path)} is ${stat === undefined ? 'not there' : 'not a directory'}`, {
    code: 'DirectoryNotFound',
  });
};

/** Paths below `root`, with `/`: links are named, as Git has them, but never followed. */
const listPaths = (root: string): string[] => {
  const paths: string[] = [];
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (!entry.isDirectory()) paths.push(relative(root, path).split(sep).join('/'));
      else if (!SKIPPED.has(entry.name)) pending.push(path);
      if (paths.length > FILES)
        throw new CliError(`there are more than ${FILES} files below ${printable(root)}`, { code: 'TooManyFiles' });
    }
  }
  return paths.sort();
};

const readText = (root: string, path: string): string => {
  const file = join(root, path);
  const stat = lstatSync(file);
  if (!stat.isFile() || stat.size > DOCUMENT_BYTES) return '';
  return readFileSync(file, 'utf8');
};

export interface FleetDirectory extends SnapshotResult {
  readonly documents: readonly LocatedDocument[];
}

/** What the fleet documents below a directory say, judged as a commit of them would be. */
export const readFleetDirectory = (root: string): FleetDirectory => {
  assertDirectory(root);
  const paths = listPaths(root);
  const ignore = paths.includes('.breakwaterignore') ? readText(root, '.breakwaterignore') : '';
  const files = selectFleetFiles(paths, ignore).map((path) => ({ path, text: readText(root, path) }));
  const read = readFleetDocuments(files);
  return { ...buildSnapshot(read, { paths }), documents: read.documents };
};
