import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAesCipher, loadOrCreateKey, SealBroken } from './cipher.ts';

describe('the cipher', () => {
  const cipher = createAesCipher(new Uint8Array(32).fill(7));
  const plain = new TextEncoder().encode('stringData: hunter2');

  it('opens what it sealed', () => {
    expect(Buffer.from(cipher.open(cipher.seal(plain))).toString()).toBe('stringData: hunter2');
    expect(cipher.open(cipher.seal(new Uint8Array(0)))).toHaveLength(0);
  });

  it('hides the text, and seals it differently each time', () => {
    const [one, two] = [Buffer.from(cipher.seal(plain)), Buffer.from(cipher.seal(plain))];
    expect(one.includes('hunter2')).toBe(false);
    expect(one.equals(two)).toBe(false);
  });

  it('notices every changed byte', () => {
    const sealed = cipher.seal(plain);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Uint8Array.from(sealed);
      changed[at]! ^= 1;
      expect(() => cipher.open(changed)).toThrow(SealBroken);
    }
    expect(() => cipher.open(sealed.subarray(0, 10))).toThrow(SealBroken);
  });

  it('says when another key sealed it', () => {
    const other = createAesCipher(new Uint8Array(32).fill(8));
    expect(() => other.open(cipher.seal(plain))).toThrow('another key');
  });
});

describe('the key file', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-key-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is made once, for its owner alone, also when many start together', async () => {
    const file = join(folder, 'key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(file)));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(keys[0]).toHaveLength(32);
  });

  it('is refused when others can read it', async () => {
    const file = join(folder, 'key');
    await loadOrCreateKey(file);
    await chmod(file, 0o644);
    await expect(loadOrCreateKey(file)).rejects.toThrow('chmod 600');
  });
});
