import { gunzipSync } from 'node:zlib';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from './render-failure.ts';
import type { Limits } from './render-limits.ts';
import { mebibytes } from './render-limits.ts';

const BLOCK = 512;

interface Entry {
  readonly path: string;
  readonly content: Buffer;
}

const field = (header: Buffer, from: number, length: number): string => {
  const end = header.indexOf(0, from);
  return header.toString('utf8', from, end < 0 || end > from + length ? from + length : end).trim();
};

/** The path of `path=` in a pax header: `<length> <key>=<value>\n` each. */
const paxPath = (content: Buffer): string | null => /^\d+ path=(.*)$/m.exec(content.toString('utf8'))?.[1] ?? null;

/** Bytes; what file systems take. */
const MAX_NAME = 255;
const MAX_PATH = 2_000;
const MAX_DEPTH = 50;

const isPath = (path: string): boolean => {
  if (Buffer.byteLength(path) > MAX_PATH || path.includes('\0') || path.includes('\\')) return false;
  const parts = path.split('/');
  const good = (part: string): boolean =>
    part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= MAX_NAME;
  return parts.length <= MAX_DEPTH && parts.every(good);
};

/** The plain files of a chart's archive. Links, devices and paths that leave the archive are refused. Throws RenderFailure. */
export const readChartArchive = (archive: Buffer, file: string, limits: Limits): Entry[] => {
  const broken = (what: string): Error =>
    fail('ChartUnavailable', `the chart's archive ${what}`, 'package the chart again with `helm package`', { file });
  let tar: Buffer;
  try {
    tar = gunzipSync(archive, { maxOutputLength: limits.sourceBytes + (1 << 20) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw fail('TooLarge', `the chart is larger than ${mebibytes(limits.sourceBytes)}`, 'use a smaller chart', {
        file,
      });
    }
    throw broken('is not compressed with gzip');
  }
  const files = new Set<string>();
  const directories = new Set<string>();
  /** Nothing is a file and a directory at once. */
  const checkPlace = (path: string): void => {
    const above = path
      .split('/')
      .slice(0, -1)
      .map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    if (directories.has(path) || above.some((directory) => files.has(directory)))
      throw broken(`has ${JSON.stringify(path)} as a file and as a directory`);
    files.add(path);
    for (const directory of above) directories.add(directory);
  };
  const entries: Entry[] = [];
  let longPath: string | null = null;
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const size = Number.parseInt(field(header, 124, 12) || '0', 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK + size > tar.length) throw broken('is cut off');
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'x') longPath = paxPath(content);
    else if (type === 'L') longPath = content.toString('utf8').replace(/\0+$/, '');
    else if (type === '0' || type === '\0') {
      const prefix = field(header, 257, 6).startsWith('ustar') ? field(header, 345, 155) : '';
      const path = longPath ?? (prefix === '' ? field(header, 0, 100) : `${prefix}/${field(header, 0, 100)}`);
      longPath = null;
      if (!isPath(path)) throw broken(`has the forbidden path ${JSON.stringify(path)}`);
      checkPlace(path);
      entries.push({ path, content });
      if (entries.length > limits.sourceFiles) throw broken(`has more than ${limits.sourceFiles} files`);
    } else if (type === '5' || type === 'g') longPath = null;
    else throw broken('holds a link or a device');
  }
  if (entries.length === 0) throw broken('is empty');
  return entries;
};

/** Unpacks an archive; its one top directory, the chart, becomes `into` itself. */
export const unpackChart = async (archive: Buffer, file: string, into: string, limits: Limits): Promise<void> => {
  for (const { path, content } of readChartArchive(archive, file, limits)) {
    const slash = path.indexOf('/');
    if (slash < 0) continue;
    const target = join(into, path.slice(slash + 1));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
};
