import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorise, DirectorySecretStore } from './secret-store.ts';

describe('secrets of gates', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-secrets-'));
    await writeFile(join(folder, 'monitoring.token'), 'abc\n');
    await writeFile(join(folder, 'split.token'), 'abc\r\nx-admin: 1');
    await writeFile(join(folder, 'empty.token'), '\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are read by name, anew each time', async () => {
    const store = new DirectorySecretStore(folder);
    expect(await store.token('monitoring')).toBe('abc');
    await writeFile(join(folder, 'monitoring.token'), 'def');
    expect(await store.token('monitoring')).toBe('def');
  });

  it.each(['../monitoring', 'a/../monitoring', '..', '', 'MONITORING', 'unknown', 'empty'])(
    'has none named %j',
    async (name) => {
      expect(await new DirectorySecretStore(folder).token(name)).toBeNull();
      expect(await new DirectorySecretStore(null).token('monitoring')).toBeNull();
    },
  );

  it('leave the machine over TLS only, and as one header', async () => {
    const store = new DirectorySecretStore(folder);
    const asked = (secret: string, url: string): ReturnType<typeof authorise> =>
      authorise(store, { secret }, new URL(url));
    expect(await asked('monitoring', 'https://prometheus.example.com')).toHaveProperty('headers.authorization');
    expect(await asked('monitoring', 'http://127.0.0.1:9090')).toHaveProperty('headers.authorization');
    expect(await asked('monitoring', 'http://prometheus.example.com')).toHaveProperty('refusal');
    expect(await asked('monitoring', 'http://127.0.0.1.example.com')).toHaveProperty('refusal');
    expect(await asked('split', 'https://prometheus.example.com')).toHaveProperty('refusal');
    expect(await authorise(store, undefined, new URL('http://prometheus.example.com'))).toEqual({ headers: {} });
  });
});
