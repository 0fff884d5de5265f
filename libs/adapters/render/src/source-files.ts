import { REFUSED_LINK } from '@breakwater/application';
import { copyFile, lstat, mkdir, readFile, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fail } from './render-failure.ts';
import type { Limits } from './render-limits.ts';
import { mebibytes } from './render-limits.ts';

/** A file below a source, `path` relative to the tree as people know it, `real` where its bytes are. */
export interface SourceFile {
  readonly path: string;
  readonly real: string;
  readonly size: number;
}

const SMALLER = 'move what is not part of the application elsewhere';

const within = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

/**
 * One tree on disk, of hostile content. Every path is resolved through its links before anything is read, and must still be in the
 * tree; what is read counts against the limits of one render.
 */
export class SourceTree {
  private readonly root: string;
  private readonly limits: Limits;
  private readonly signal: AbortSignal | null;
  /** Directories too, as often as links lead to them: a few links can make more paths than anybody can walk. */
  private visited = 0;
  private bytes = 0;

  private constructor(root: string, limits: Limits, signal: AbortSignal | null) {
    this.root = root;
    this.limits = limits;
    this.signal = signal;
  }

  static async open(dir: string, limits: Limits, signal?: AbortSignal): Promise<SourceTree> {
    return new SourceTree(await realpath(dir), limits, signal ?? null);
  }

  /** The path relative to the tree, without `.` and `..`. Throws where it leaves the tree by its text alone. */
  clean(path: string, from = ''): string {
    const outside = fail(
      'SourceOutsideTree',
      `${JSON.stringify(path)} is not in the repository`,
      'name a path inside it',
      {
        file: from === '' ? undefined : from,
      },
    );
    if (path.startsWith('/') || path.includes('\0') || path.includes('\\')) throw outside;
    const parts: string[] = [];
    for (const part of [...from.split('/'), ...path.split('/')]) {
      if (part === '' || part === '.') continue;
      if (part !== '..') parts.push(part);
      else if (parts.pop() === undefined) throw outside;
    }
    return parts.join('/');
  }

  /** Where a path really is, and what; null where there is nothing. Throws where a link leads out of the tree. */
  async find(path: string): Promise<{ real: string; type: 'file' | 'directory' } | null> {
    const full = join(this.root, path);
    let real: string;
    try {
      real = await realpath(full);
    } catch {
      await this.explainBrokenLink(path);
      return null;
    }
    if (!within(this.root, real)) throw leaves(path, await readlink(full).catch(() => ''));
    const found = await stat(real);
    return found.isDirectory() ? { real, type: 'directory' } : found.isFile() ? { real, type: 'file' } : null;
  }

  /** The mirror writes a link that leaves the tree as one that cannot be followed; see REFUSED_LINK. */
  private async explainBrokenLink(path: string): Promise<void> {
    const parts = path.split('/');
    for (let count = 1; count <= parts.length; count++) {
      const part = parts.slice(0, count).join('/');
      const target = await readlink(join(this.root, part)).catch(() => null);
      if (target?.startsWith(REFUSED_LINK) === true) {
        throw leaves(part, decodeURIComponent(target.slice(REFUSED_LINK.length)));
      }
    }
  }

  /** Every file at or below a path, sorted, links followed; a link that leads nowhere or back up is an error. */
  async list(path: string, skip: (name: string) => boolean): Promise<SourceFile[]> {
    const files: SourceFile[] = [];
    const walk = async (at: string, above: readonly string[]): Promise<void> => {
      this.countVisit();
      const found = await this.find(at);
      if (found === null)
        throw fail('SourceNotFound', `${JSON.stringify(at)} leads nowhere`, 'mend or remove the link', { file: at });
      if (found.type === 'file') {
        const { size } = await lstat(found.real);
        this.countBytes(size);
        files.push({ path: at, real: found.real, size });
        return;
      }
      if (above.includes(found.real)) {
        throw fail('SourceOutsideTree', `the link ${JSON.stringify(at)} leads back to itself`, 'remove the link', {
          file: at,
        });
      }
      for (const name of (await readdir(found.real)).sort()) {
        if (name !== '.git' && !skip(name)) await walk(at === '' ? name : `${at}/${name}`, [...above, found.real]);
      }
    };
    await walk(path, []);
    return files;
  }

  private countVisit(): void {
    if (this.signal?.aborted === true) throw fail('Aborted', 'rendering was stopped', 'try again');
    this.visited += 1;
    const { sourceFiles } = this.limits;
    if (this.visited > sourceFiles)
      throw fail('TooLarge', `the source has more than ${sourceFiles} files and directories`, SMALLER);
  }

  private countBytes(size: number): void {
    this.bytes += size;
    const { sourceBytes } = this.limits;
    if (this.bytes > sourceBytes)
      throw fail('TooLarge', `the source is larger than ${mebibytes(sourceBytes)}`, SMALLER);
  }

  async text(file: Pick<SourceFile, 'path' | 'real'>): Promise<string> {
    return decodeText(await readFile(file.real), file.path);
  }

  /** Copies everything below a path, links replaced by what they lead to, so that the tools never meet a link. */
  async copy(path: string, into: string, strip = ''): Promise<SourceFile[]> {
    const files = await this.list(path, () => false);
    for (const file of files) {
      const target = join(into, relative(strip, file.path));
      await mkdir(dirname(target), { recursive: true });
      await copyFile(file.real, target);
    }
    return files;
  }
}

const leaves = (path: string, target: string): Error =>
  fail(
    'SourceOutsideTree',
    `the link ${JSON.stringify(path)} leads out of the repository, to ${JSON.stringify(target)}`,
    'replace the link by the file itself',
    {
      file: path,
    },
  );

export const decodeText = (bytes: Uint8Array, file: string): string => {
  const notText = (what: string): Error =>
    fail('NotText', `the file is ${what}`, 'save it as UTF-8 text, or remove it', { file });
  if (bytes.includes(0)) throw notText('binary');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notText('not UTF-8');
  }
};
