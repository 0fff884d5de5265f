import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { errorCode } from '../database-errors.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { isAlive, processStart } from './processes.ts';

/**
 * One Breakwater for one data directory. The file holds process id and start time: it outlives a kill -9, and is then known to be stale, also when
 * the id is somebody else's by now. Returns what gives it back.
 */
export const lockInstance = async (file: string): Promise<() => Promise<void>> => {
  const own = `${process.pid} ${(await processStart(process.pid)) ?? 'unknown'}`;
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, `${own}\n`, { mode: 0o600 });
  try {
    await take(fresh, file);
  } finally {
    await unlink(fresh).catch(() => undefined);
  }
  return async () => {
    if ((await contentOf(file)) === own) await unlink(file).catch(() => undefined);
  };
};

const take = async (fresh: string, file: string): Promise<void> => {
  for (let round = 0; round < 10; round += 1) {
    const taken = await link(fresh, file).then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) === 'EEXIST') return false;
        throw error;
      },
    );
    if (taken) return;
    await removeStale(file);
  }
  throw new EmbeddedPostgresError('InUse', `several Breakwaters are starting with the data directory of ${file}`);
};

const removeStale = async (file: string): Promise<void> => {
  const content = await contentOf(file);
  const [pid, start] = content.split(' ');
  if (pid !== undefined && /^\d+$/.test(pid) && isAlive(Number(pid)) && (await sameStart(Number(pid), start ?? ''))) {
    throw new EmbeddedPostgresError(
      'InUse',
      `the data directory is in use by another Breakwater (process ${pid}): stop that one, or give this one its own directory`,
    );
  }
  // Moved away first, and looked at again: another start may have replaced the stale one since.
  const aside = `${file}.stale.${process.pid}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await contentOf(aside)) !== content) await link(aside, file).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
};

const sameStart = async (pid: number, start: string): Promise<boolean> => {
  const now = await processStart(pid);
  return now === null || start === 'unknown' || now === start;
};

const contentOf = async (file: string): Promise<string> => (await readFile(file, 'utf8').catch(() => '')).trim();
