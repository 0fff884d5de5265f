import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface DemoCluster {
  readonly name: string;
  readonly region: string;
}

/** The example fleet in a Git repository of its own, of which the demo is the only author. */
export class ExampleRepository {
  readonly dir: string;
  readonly clusters: readonly DemoCluster[];

  private constructor(dir: string, clusters: readonly DemoCluster[]) {
    this.dir = dir;
    this.clusters = clusters;
  }

  /** `perRegion` takes that many clusters of each region, in order; null: all of them. */
  static async create(dir: string, perRegion: Readonly<Record<string, number>> | null): Promise<ExampleRepository> {
    await mkdir(dir, { recursive: true });
    await cp(join(checkout(), 'examples/shop'), dir, { recursive: true });
    const clusters: DemoCluster[] = [];
    for (const file of (await readdir(join(dir, 'clusters'))).sort()) {
      const region = file.replace(/\.yaml$/, '');
      const path = join(dir, 'clusters', file);
      const documents = (await readFile(path, 'utf8')).split(/^---\n/m).slice(0, perRegion?.[region] ?? Infinity);
      await writeFile(path, documents.join('---\n'));
      for (const document of documents) clusters.push({ name: /name: ([\w-]+)/.exec(document)?.[1] ?? '', region });
    }
    const repository = new ExampleRepository(dir, clusters);
    await repository.git('init', '--quiet', '--initial-branch=main');
    return repository;
  }

  async edit(path: string, change: (text: string) => string): Promise<void> {
    const file = join(this.dir, path);
    const before = await readFile(file, 'utf8').catch(() => '');
    const after = change(before);
    if (after === before) throw new Error(`the example has changed: nothing to edit in ${path}`);
    await writeFile(file, after);
  }

  /** Returns the commit. */
  async commit(subject: string): Promise<string> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '-m', subject);
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  private async git(...args: string[]): Promise<string> {
    const person = { NAME: 'A Developer', EMAIL: 'developer@shop.example' };
    const { stdout } = await run('git', args, {
      cwd: this.dir,
      // Nobody's own settings: a global hook or signing key has no business here.
      env: {
        PATH: process.env['PATH'],
        HOME: this.dir,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: person.NAME,
        GIT_AUTHOR_EMAIL: person.EMAIL,
        GIT_COMMITTER_NAME: person.NAME,
        GIT_COMMITTER_EMAIL: person.EMAIL,
      },
    });
    return stdout;
  }
}

/** The checkout that this code came from; it may have been bundled since. */
export const checkout = (): string => {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'examples/shop'))) {
    if (dirname(dir) === dir) throw new Error('the demo needs a checkout of Breakwater: examples/shop is not above it');
    dir = dirname(dir);
  }
  return dir;
};
