import type { RepositoryError, RepositoryMirror } from '@breakwater/application';
import { REFUSED_LINK } from '@breakwater/application';
import { chownSync, existsSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitMirrorsOptions } from './git-mirrors.ts';
import { GitMirrors } from './git-mirrors.ts';
import { FixtureRepository } from './git-repository.fixture.ts';

const failure = async (promise: Promise<unknown>): Promise<RepositoryError> => {
  try {
    await promise;
  } catch (error) {
    return error as RepositoryError;
  }
  throw new Error('it did not fail');
};

describe('a mirror of a local repository', () => {
  let origin: FixtureRepository;
  beforeEach(() => {
    origin = new FixtureRepository();
  });
  afterEach(() => origin.remove());

  const open = (options: Partial<GitMirrorsOptions> = {}, ref = 'main'): Promise<RepositoryMirror> =>
    new GitMirrors({ directory: join(origin.root, 'data'), ...options }).open({ name: 'fleet', url: origin.dir, ref });

  it('returns the commit that the branch names, with its time, author and subject', async () => {
    const commit = origin.write('a.yaml', 'a: 1\n').commit('first');
    const mirror = await open({ now: () => 42 });
    expect(await mirror.fetch()).toEqual({
      commit,
      at: 42,
      committedAt: 1_700_000_060_000,
      author: 'A Person',
      subject: 'first',
    });
  });

  it('reads a file:// address', async () => {
    const commit = origin.write('a.yaml', 'a: 1\n').commit();
    const mirrors = new GitMirrors({ directory: join(origin.root, 'data') });
    const mirror = await mirrors.open({ name: 'fleet', url: `file://${origin.dir}`, ref: 'main' });
    expect((await mirror.fetch()).commit).toBe(commit);
  });

  it('lists and reads the files of any commit', async () => {
    const first = origin.write('apps/web/a.yaml', 'a: 1\n').commit();
    origin.write('apps/web/a.yaml', 'a: 2\n').write('run.sh', '#!/bin/sh\n').commit();
    const mirror = await open();
    await mirror.fetch();
    expect((await mirror.files(first)).map(({ path, type, size }) => [path, type, size])).toEqual([
      ['apps/web/a.yaml', 'file', 5],
    ]);
    const read = await mirror.read(first, ['apps/web/a.yaml']);
    expect(Buffer.from(read.get('apps/web/a.yaml')!).toString()).toBe('a: 1\n');
    expect((await failure(mirror.read(first, ['run.sh']))).code).toBe('FileNotFound');
  });

  it('resolves commits, abbreviations, branches and tags (annotated ones too), and nothing else', async () => {
    const first = origin.write('a', '1').commit();
    origin.git('tag', 'v1');
    origin.git('tag', '-a', 'v1-signed', '-m', 'release');
    origin.git('branch', 'release/1.x');
    const second = origin.write('a', '2').commit();
    const mirror = await open();
    await mirror.fetch();
    for (const name of [first, first.slice(0, 8), 'v1', 'v1-signed', 'release/1.x', 'refs/tags/v1']) {
      expect((await mirror.resolve(name))?.commit).toBe(first);
    }
    expect((await mirror.resolve('main'))?.commit).toBe(second);
    const never = [
      'nope',
      'main~1',
      'main^',
      'HEAD',
      '@',
      'main@{1}',
      'main:a',
      ':/first',
      '--all',
      '-h',
      'v1..main',
      '',
    ];
    for (const name of [...never, '0'.repeat(40), 'refs/breakwater/keep/x', 'a b', 'x'.repeat(300)]) {
      expect([name, await mirror.resolve(name)]).toEqual([name, null]);
    }
  });

  it('refuses a name that is a branch and a tag of different commits', async () => {
    origin.write('a', '1').commit();
    origin.git('tag', 'release');
    origin.write('a', '2').commit();
    origin.git('branch', 'release');
    const mirror = await open();
    await mirror.fetch();
    const error = await failure(mirror.resolve('release'));
    expect(error.code).toBe('RevisionAmbiguous');
    expect(error.remedy).toContain('refs/tags/');
  });

  it('names the ref when the repository has none of that name', async () => {
    origin.write('a', '1').commit();
    const error = await failure((await open({}, 'production')).fetch());
    expect([error.code, error.disposition]).toEqual(['RevisionNotFound', 'fix']);
    expect(error.message).toContain('production');
  });

  it('does not lose a kept commit to a force-push', async () => {
    const kept = origin.write('a', '1').commit();
    const mirror = await open();
    await mirror.fetch();
    await mirror.keep(kept);
    origin.git('checkout', '--quiet', '--orphan', 'other');
    const next = origin.write('a', '2').commit();
    origin.git('branch', '--force', 'main', 'other');
    origin.git('reflog', 'expire', '--expire=now', '--all');
    origin.git('gc', '--prune=now', '--quiet');
    expect((await mirror.fetch()).commit).toBe(next);
    const directory = join(origin.root, 'data', readdirSync(join(origin.root, 'data'))[0]!, 'mirror.git');
    new FixtureRepositoryGit(directory).run('repack', '-a', '-d', '-q');
    expect((await mirror.resolve(kept))?.commit).toBe(kept);
    expect((await mirror.read(kept, ['a'])).size).toBe(1);
  });

  it('keeps serving the last fetch when the repository disappears, and says so', async () => {
    const commit = origin.write('a', '1').commit();
    const mirror = await open();
    await mirror.fetch();
    renameSync(origin.dir, `${origin.dir}.gone`);
    const error = await failure(mirror.fetch());
    expect([error.code, error.disposition]).toEqual(['Unreachable', 'retry']);
    expect(error.message).toContain(origin.dir);
    expect((await mirror.resolve('main'))?.commit).toBe(commit);
    renameSync(`${origin.dir}.gone`, origin.dir);
    expect((await mirror.fetch()).commit).toBe(commit);
  });

  it('says that a directory without a repository is none, and does not search above it', async () => {
    origin.write('sub/a', '1').commit();
    const mirrors = new GitMirrors({ directory: join(origin.root, 'data') });
    const mirror = await mirrors.open({ name: 'fleet', url: join(origin.dir, 'sub'), ref: 'main' });
    expect((await failure(mirror.fetch())).code).toBe('Unreachable');
  });

  it('starts again after a kill that left lock files', async () => {
    const commit = origin.write('a', '1').commit();
    await (await open()).fetch();
    const directory = join(origin.root, 'data', readdirSync(join(origin.root, 'data'))[0]!, 'mirror.git');
    writeFileSync(join(directory, 'packed-refs.lock'), '');
    writeFileSync(join(directory, 'refs', 'heads', 'main.lock'), '');
    writeFileSync(join(directory, 'objects', 'pack', 'tmp_pack_x'), 'half');
    origin.git('branch', 'more');
    const mirror = await open();
    expect((await mirror.fetch()).commit).toBe(commit);
    expect((await mirror.resolve('more'))?.commit).toBe(commit);
  });

  it('takes many fetches at once', async () => {
    const commit = origin.write('a', '1').commit();
    const mirror = await open();
    const fetched = await Promise.all([mirror.fetch(), mirror.fetch(), mirror.fetch()]);
    expect(fetched.map((one) => one.commit)).toEqual([commit, commit, commit]);
  });

  it('stops when it is told to', async () => {
    origin.write('a', '1').commit();
    const error = await failure((await open()).fetch(AbortSignal.abort()));
    expect(error.code).toBe('Aborted');
  });

  it('refuses a directory of another user unless an administrator allows it', async () => {
    if (process.getuid?.() !== 0) return console.warn('skipped: only root can give a directory away');
    const commit = origin.write('a', '1').commit();
    for (const path of [origin.dir, join(origin.dir, '.git')]) chownSync(path, 12_345, 12_345);
    const error = await failure((await open()).fetch());
    expect([error.code, error.disposition]).toEqual(['NotAllowed', 'fix']);
    expect((await (await open({ allowForeignOwner: true })).fetch()).commit).toBe(commit);
  });

  describe('written out as a tree', () => {
    it('has the files, and links that stay inside', async () => {
      origin.write('base/a.yaml', 'a: 1\n').link('overlay/base', '../base').link('dangling', 'nowhere');
      const commit = origin.commit();
      const mirror = await open();
      await mirror.fetch();
      const tree = await mirror.tree(commit);
      expect(readFileSync(join(tree.dir, 'overlay/base/a.yaml'), 'utf8')).toBe('a: 1\n');
      expect(tree.refusedLinks).toEqual([]);
      const read = await mirror.read(commit, ['overlay/base/a.yaml']);
      expect(Buffer.from(read.get('overlay/base/a.yaml')!).toString()).toBe('a: 1\n');
    });

    it('is shared, and goes away when nobody uses it', async () => {
      const first = origin.write('a', '1').commit();
      const second = origin.write('a', '2').commit();
      const mirror = await open({ spareTrees: 0 });
      await mirror.fetch();
      const [one, two] = await Promise.all([mirror.tree(first), mirror.tree(first)]);
      expect(one.dir).toBe(two.dir);
      one.release();
      one.release();
      expect(existsSync(two.dir)).toBe(true);
      two.release();
      const again = await mirror.tree(first);
      expect(readFileSync(join(again.dir, 'a'), 'utf8')).toBe('1');
      expect(readFileSync(join((await mirror.tree(second)).dir, 'a'), 'utf8')).toBe('2');
    });

    it('does not contain links that leave the tree, and names them', async () => {
      origin.link('passwd', '/etc/passwd').link('up', '../../etc').link('deep/x', 'y/../../../z');
      origin.link('hop', 'apps/up').link('apps/up', '../..').link('loop', 'loop');
      const commit = origin.commit();
      const mirror = await open();
      await mirror.fetch();
      const tree = await mirror.tree(commit);
      const refused = tree.refusedLinks.map(({ path }) => path).sort();
      expect(refused).toEqual(['apps/up', 'deep/x', 'hop', 'loop', 'passwd', 'up']);
      expect(readlinkSync(join(tree.dir, 'passwd')).startsWith(REFUSED_LINK)).toBe(true);
      expect(existsSync(join(tree.dir, 'passwd'))).toBe(false);
      const error = await failure(mirror.read(commit, ['passwd']));
      expect([error.code, error.message]).toEqual(['HostileTree', '"passwd" is a link that leaves the repository']);
    });

    it('has the bytes of the commit: no filter, no line-ending conversion, no smudging', async () => {
      origin.write('.gitattributes', '* text eol=crlf\n*.yaml filter=lfs ident\n');
      const commit = origin.write('a.yaml', 'a: $Id$\nb: 2\n').commit();
      const mirror = await open();
      await mirror.fetch();
      const tree = await mirror.tree(commit);
      expect(readFileSync(join(tree.dir, 'a.yaml'), 'utf8')).toBe('a: $Id$\nb: 2\n');
    });
  });

  describe('is not harmed by', () => {
    const fetched = async (options: Partial<GitMirrorsOptions> = {}): Promise<RepositoryMirror> => {
      const mirror = await open(options);
      await mirror.fetch();
      return mirror;
    };

    it('hooks, fsmonitor and pack-object commands in the settings of the repository', async () => {
      const mark = join(origin.root, 'mark');
      const commit = origin.write('a', '1').commit();
      const hook = join(origin.dir, '.git', 'hooks', 'post-checkout');
      writeFileSync(hook, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
      origin.git('config', 'core.fsmonitor', `touch ${mark}`);
      origin.git('config', 'uploadpack.packObjectsHook', `touch ${mark}; false`);
      origin.git('config', 'core.sshCommand', `touch ${mark}`);
      origin.git('config', 'core.hooksPath', join(origin.dir, '.git', 'hooks'));
      origin.git('config', 'protocol.ext.allow', 'always');
      const mirror = await fetched();
      (await mirror.tree(commit)).release();
      expect(existsSync(mark)).toBe(false);
    });

    it('submodules, which are named and not followed', async () => {
      const mark = join(origin.root, 'mark');
      origin.write('.gitmodules', `[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% ${mark}\n`).commit();
      origin.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},x`);
      origin.git('commit', '--quiet', '-m', 'submodule');
      const commit = origin.git('rev-parse', 'HEAD');
      const tree = await (await fetched()).tree(commit);
      expect(tree.submodules).toEqual(['x']);
      expect(existsSync(join(tree.dir, 'x'))).toBe(false);
      expect(existsSync(mark)).toBe(false);
    });

    it('an entry called .. or .git', async () => {
      for (const name of ['..', '.git', '.GIT', 'a\\b']) {
        const inner = origin.tree([{ mode: '100644', name: 'x', content: 'x' }]);
        const commit = origin.commitTree([{ mode: '40000', name, content: { tree: inner } }]);
        const mirror = await fetched();
        expect([name, (await failure(mirror.tree(commit))).code]).toEqual([name, 'HostileTree']);
      }
      expect(readdirSync(origin.root).sort()).toEqual(['data', 'origin']);
    });

    it('a path that is a link and a directory at once', async () => {
      const inner = origin.tree([{ mode: '100644', name: 'owned', content: 'x' }]);
      const commit = origin.commitTree([
        { mode: '120000', name: 'a', content: origin.root },
        { mode: '40000', name: 'a', content: { tree: inner } },
      ]);
      const error = await failure((await fetched()).tree(commit));
      expect(error.code).toBe('HostileTree');
      expect(existsSync(join(origin.root, 'owned'))).toBe(false);
    });

    it('a tree of a few kilobytes that names billions of files', async () => {
      let tree = origin.tree([{ mode: '100644', name: 'f', content: 'x' }]);
      for (let level = 0; level < 9; level++) {
        const inner = tree;
        tree = origin.tree([...'0123456789'].map((name) => ({ mode: '40000', name, content: { tree: inner } })));
      }
      const commit = origin.commitTree([{ mode: '40000', name: 'bomb', content: { tree } }]);
      const started = Date.now();
      const error = await failure((await fetched()).tree(commit));
      expect([error.code, error.message]).toEqual(['TooLarge', 'the repository has more than 10000 files']);
      expect(Date.now() - started).toBeLessThan(30_000);
    });

    it('a small pack with large files', async () => {
      const commit = origin.write('zeros', Buffer.alloc(40 << 20)).commit();
      const error = await failure((await fetched({ maxBytes: 10 << 20 })).tree(commit));
      expect([error.code, error.message]).toEqual(['TooLarge', 'the repository has more than 10 MiB of files']);
    });

    it('a pack over the limit', async () => {
      const noise = Buffer.alloc(3 << 20);
      for (let i = 0; i < noise.length; i += 4) noise.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
      origin.write('noise', noise).commit();
      const error = await failure((await open({ maxBytes: 1 << 20 })).fetch());
      expect([error.code, error.disposition]).toEqual(['TooLarge', 'fix']);
    });
  });
});

describe('addresses that are refused before Git sees them', () => {
  const cases: [string, string][] = [
    ['ext::sh -c "touch /tmp/x"', 'NotAllowed'],
    ['fd::17', 'NotAllowed'],
    ['git://example.org/x', 'NotAllowed'],
    ['http://example.org/x', 'NotAllowed'],
    ['ftp://example.org/x', 'NotAllowed'],
    ['--upload-pack=touch /tmp/x', 'InvalidRepository'],
    ['-oProxyCommand=x', 'InvalidRepository'],
    ['ssh://-oProxyCommand=x/path', 'InvalidRepository'],
    ['ssh://git@host/-x', 'InvalidRepository'],
    ['ssh://-x@host/path', 'InvalidRepository'],
    ['https://user:secret@example.org/x', 'InvalidRepository'],
    ['https://token@example.org/x', 'InvalidRepository'],
    ['file://host/path', 'InvalidRepository'],
    ['https://example.org/a\nb', 'InvalidRepository'],
    ['', 'InvalidRepository'],
  ];
  it.each(cases)('%s', async (url, code) => {
    const mirrors = new GitMirrors({ directory: '/nonexistent' });
    const error = await failure(mirrors.open({ name: 'x', url, ref: 'main' }));
    expect(error.code).toBe(code);
    expect(`${error.message} ${error.remedy}`).not.toContain('secret');
  });
});

class FixtureRepositoryGit {
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  run(...args: string[]): void {
    FixtureRepository.prototype.git.call({ dir: this.directory, clock: 0, root: '/', gitWithInput }, ...args);
  }
}
const gitWithInput = FixtureRepository.prototype.gitWithInput;
