import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CredentialUnreadable } from '@breakwater/application';
import { DirectoryCredentialStore } from './directory-credential-store.ts';

describe('a directory of kubeconfigs', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'credentials-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('reads by name, and sees a change', async () => {
    const store = new DirectoryCredentialStore(directory);
    expect(await store.read('eu-1')).toBeNull();
    await writeFile(join(directory, 'eu-1.kubeconfig'), 'one');
    const first = await store.read('eu-1');
    expect(first?.kubeconfig).toBe('one');
    expect(await store.read('eu-1')).toEqual(first);
    await writeFile(join(directory, 'eu-1.kubeconfig'), 'two!');
    const second = await store.read('eu-1');
    expect(second?.kubeconfig).toBe('two!');
    expect(second?.version).not.toBe(first?.version);
  });

  it('follows the links that a mounted Secret is made of', async () => {
    await writeFile(join(directory, 'data'), 'linked');
    await symlink('data', join(directory, 'eu.kubeconfig'));
    expect((await new DirectoryCredentialStore(directory).read('eu'))?.kubeconfig).toBe('linked');
  });

  it.each(['../eu', 'a/b', '..', '', '.hidden', 'a..b', 'EU', 'a\u0000b', 'a'.repeat(300)])(
    'does not take %j for a name',
    async (name) => {
      await writeFile(join(directory, 'eu.kubeconfig'), 'x');
      expect(await new DirectoryCredentialStore(join(directory, 'inner')).read(name)).toBeNull();
    },
  );

  it.each([
    ['what is no file', '/dev/null', 'not a file'],
    ['a link to itself', 'eu.kubeconfig', 'ELOOP'],
  ])('tells %s from a machine in trouble', async (_what, target, message) => {
    await symlink(target, join(directory, 'eu.kubeconfig'));
    const read = new DirectoryCredentialStore(directory).read('eu');
    await expect(read).rejects.toThrow(CredentialUnreadable);
    await expect(read).rejects.toThrow(message);
  });
});
