import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A real repository in a directory of its own, driven by real Git with nobody's settings. */
export class FixtureRepository {
  readonly root: string;
  readonly dir: string;
  private clock = 1_700_000_000;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'breakwater-git-'));
    this.dir = join(this.root, 'origin');
    mkdirSync(this.dir);
    this.git('init', '--quiet', '--initial-branch=main');
  }

  git(...args: string[]): string {
    return this.gitWithInput('', ...args);
  }

  gitWithInput(input: string | Buffer, ...args: string[]): string {
    const date = `${this.clock} +0000`;
    return execFileSync('git', args, {
      cwd: this.dir,
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
      env: {
        PATH: process.env['PATH'],
        HOME: this.root,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'A Person',
        GIT_AUTHOR_EMAIL: 'person@example.org',
        GIT_COMMITTER_NAME: 'A Person',
        GIT_COMMITTER_EMAIL: 'person@example.org',
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      },
    }).trim();
  }

  write(path: string, content: string | Buffer): this {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return this;
  }

  link(path: string, target: string): this {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    symlinkSync(target, file);
    return this;
  }

  commit(subject = 'change'): string {
    this.clock += 60;
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', subject);
    return this.git('rev-parse', 'HEAD');
  }

  /** Commits a tree made of raw entries, as `git add` never would; `content` is a blob's text or another tree's id. */
  commitTree(entries: readonly { mode: string; name: string; content: string | { tree: string } }[]): string {
    const tree = this.tree(entries);
    this.clock += 60;
    const commit = this.git('commit-tree', '-m', 'made by hand', tree);
    this.git('update-ref', 'refs/heads/main', commit);
    return commit;
  }

  /** Written as raw bytes: `git mktree` would sort and check the entries. */
  tree(entries: readonly { mode: string; name: string; content: string | { tree: string } }[]): string {
    const parts = entries.map(({ mode, name, content }) => {
      const id =
        typeof content === 'string' ? this.gitWithInput(content, 'hash-object', '-w', '--stdin') : content.tree;
      return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
    });
    return this.gitWithInput(Buffer.concat(parts), 'hash-object', '-w', '-t', 'tree', '--literally', '--stdin');
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
