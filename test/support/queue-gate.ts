import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Connects to the embedded PostgreSQL of a program that keeps its data in `data`. */
const connect = async (data: string): Promise<pg.Client> => {
  const home = join(data, 'postgres');
  const password = (await readFile(join(home, 'password'), 'utf8')).trim();
  const port = (await readFile(join(home, 'pgdata', 'postmaster.pid'), 'utf8')).split('\n')[3];
  const client = new pg.Client({ connectionString: `postgres://breakwater:${password}@127.0.0.1:${port}/breakwater` });
  await client.connect();
  return client;
};

/** Between the record and the queue: while it is shut, rollouts are committed, and no wake-up gets into the queue. */
export class QueueGate {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async shut(data: string): Promise<QueueGate> {
    const client = await connect(data);
    await client.query('begin');
    await client.query('lock table bullmq.job in share row exclusive mode');
    return new QueueGate(client);
  }

  /** Waits for a commit that makes the newest rollout be in `state`; returns its id. */
  async committed(state: readonly string[], otherThan: string): Promise<string> {
    for (;;) {
      const { rows } = await this.#client.query<{ id: string; state: string }>(
        'select id, state from rollouts order by ordinal desc limit 1',
      );
      const newest = rows[0];
      if (newest !== undefined && newest.id !== otherThan && state.includes(newest.state)) return newest.id;
      await delay(5);
    }
  }

  /** What waits at the gate was never sent: its sender is dead, so its session is. */
  async open(): Promise<void> {
    await this.#client.query(
      `select pg_terminate_backend(pid) from pg_locks
       where not granted and relation = 'bullmq.job'::regclass and pid <> pg_backend_pid()`,
    );
    await this.#client.end();
  }
}
