import { mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync, closeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A process is told apart from a later one with the same pid by the time at which it was started. */
export function processIdentity(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : `${pid} ${fields[19]}`;
  } catch {
    try {
      process.kill(pid, 0);
      // No /proc here, but somebody has this pid.
      return process.platform === 'linux' ? null : `${pid} unknown`;
    } catch {
      return null;
    }
  }
}

function tryLock(path: string): boolean {
  try {
    const fd = openSync(path, 'wx', 0o600);
    writeSync(fd, processIdentity(process.pid) ?? String(process.pid));
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function removeIfStale(path: string): void {
  let owner: string;
  try {
    owner = readFileSync(path, 'utf8');
  } catch {
    return;
  }
  // Empty: the owner has created the file and is about to write its name.
  if (owner === '' || processIdentity(Number(owner.split(' ')[0])) === owner) return;
  // Of two that find it stale, one wins the rename; the other may then have renamed a fresh lock, so look again.
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') === owner) rmSync(aside, { force: true });
    else renameSync(aside, path);
  } catch {
    // Another process was first.
  }
}

/** Runs `work` while holding the lock file; a lock whose owner is gone is taken over. `onWait` is called once. */
export async function withLock<T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  for (let attempt = 0; !tryLock(path); attempt++) {
    if (attempt === 1) onWait?.();
    removeIfStale(path);
    await delay(100);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
