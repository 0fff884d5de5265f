import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { processIdentity, withLock } from './lock-file.ts';

describe('lock file', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lock-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await setImmediate();
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(join(dir, 'lock'), work)));
    expect(most).toBe(1);
  });

  it('is taken over from a process that is gone', async () => {
    writeFileSync(join(dir, 'lock'), '999999999 1');
    expect(await withLock(join(dir, 'lock'), () => Promise.resolve('in'))).toBe('in');
  });

  it('is not mistaken for that of a later process with the same pid', async () => {
    writeFileSync(join(dir, 'lock'), `${process.pid} 1`);
    expect(processIdentity(process.pid)).not.toBe(`${process.pid} 1`);
    expect(await withLock(join(dir, 'lock'), () => Promise.resolve('in'))).toBe('in');
  });

  it('is given up when the work fails', async () => {
    await expect(withLock(join(dir, 'lock'), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(join(dir, 'lock'), () => Promise.resolve('in'))).toBe('in');
  });
});
