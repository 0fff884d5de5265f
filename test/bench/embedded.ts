import { startEmbeddedPostgres } from '@breakwater/store-postgres';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Database {
  readonly url: string;
  stop(): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A PostgreSQL of our own, gone afterwards. */
export const startDatabase = async (): Promise<Database> => {
  const home = await mkdtemp(join(tmpdir(), 'breakwater-bench-'));
  // As root, the server runs as another user, who has to get through.
  await chmod(home, 0o711);
  const server = await startEmbeddedPostgres({ dataDir: join(home, 'data'), log: () => undefined });
  const stop = async (): Promise<void> => {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
  // It runs in a session of its own, and would outlive us.
  const interrupted = (): void => void stop().finally(() => process.exit(130));
  for (const signal of SIGNALS) process.once(signal, interrupted);
  return { url: server.url, stop };
};
