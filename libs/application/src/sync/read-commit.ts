import { type FleetFile, type FleetSnapshot, type LocatedDocument, selectFleetFiles } from '@breakwater/domain';
import type { FleetReader } from '../ports/fleet-reader.port.ts';
import { RepositoryError, type RepositoryFile, type RepositoryMirror } from '../ports/repository.port.ts';
import type { SyncError } from './sync-error.ts';

const IGNORE_FILE = '.breakwaterignore';
/** Read at once, in bytes: a repository may hold hundreds of mebibytes of YAML that is nobody's fleet document. */
const BATCH_BYTES = 16 * 2 ** 20;

export interface CommitDocuments {
  readonly documents: readonly LocatedDocument[];
  /** Null when an error blocks it. */
  readonly snapshot: FleetSnapshot | null;
  readonly errors: readonly SyncError[];
}

/** What the fleet documents of a commit say. Links are not followed here: the file that they point at is read anyway. */
export const readCommit = async (
  reader: FleetReader,
  mirror: RepositoryMirror,
  commit: string,
  signal: AbortSignal,
): Promise<CommitDocuments> => {
  const all = await mirror.files(commit);
  const files = all.filter(({ type }) => type === 'file' || type === 'executable');
  const paths = files.map(({ path }) => path);
  const chosen = new Set(selectFleetFiles(paths, await readIgnore(mirror, commit, paths)));
  const texts: FleetFile[] = [];
  for (const batch of inBatches(files.filter(({ path }) => chosen.has(path)))) {
    const contents = await mirror.read(commit, batch);
    for (const [path, content] of contents) {
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      if (mayHoldDocuments(bytes)) texts.push({ path, text: bytes.toString('utf8') });
    }
  }
  // A folder may exist by its links alone, so they count among the paths.
  const allPaths = all.map(({ path }) => path);
  const { documents, snapshot, errors } = await reader.read(texts, allPaths, signal);
  // A reader that was stopped says so as an error: that is not the commit's.
  if (signal.aborted) throw aborted();
  // What later stages complain about is the source, and its place is known.
  const located = documents.map(({ source, ...document }) => ({ ...document, locate: () => source }));
  return { documents: located, snapshot, errors };
};

export const aborted = (): RepositoryError =>
  new RepositoryError('Aborted', 'the sync was stopped', { remedy: 'it goes on by itself', disposition: 'retry' });

/** Every document of ours has a kind, however its apiVersion is spelled. */
const mayHoldDocuments = (bytes: Buffer): boolean => bytes.includes('kind') || bytes.includes('reakwater');

const readIgnore = async (mirror: RepositoryMirror, commit: string, paths: readonly string[]): Promise<string> => {
  if (!paths.includes(IGNORE_FILE)) return '';
  const content = (await mirror.read(commit, [IGNORE_FILE])).get(IGNORE_FILE);
  return content === undefined ? '' : Buffer.from(content).toString('utf8');
};

const inBatches = (files: readonly RepositoryFile[]): readonly (readonly string[])[] => {
  const batches: string[][] = [];
  let room = 0;
  for (const { path, size } of files) {
    const last = batches.at(-1);
    if (last === undefined || size > room) {
      batches.push([path]);
      room = BATCH_BYTES - size;
    } else {
      last.push(path);
      room -= size;
    }
  }
  return batches;
};
