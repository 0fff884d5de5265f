import { setTimeout as delay } from 'node:timers/promises';
import { CommitUnknown } from '@breakwater/application';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
} from 'kysely';
import pg from 'pg';
import { isConflict, isConnectionLoss } from './database-errors.ts';

/** Compiles `sql` templates; connections and transactions are ours, because a COMMIT of unknown outcome must be told from a failure. */
export const compiler = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

export interface Queries {
  rows<T>(statement: RawBuilder<T>): Promise<readonly T[]>;
  first<T>(statement: RawBuilder<T>): Promise<T | null>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly schema: string;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly onError: (error: unknown) => void;
}

/** Deadlocks and the like. */
const ATTEMPTS = 7;
/** A restart of the server is waited for; a caller is not kept waiting for a server that stays away. */
const PATIENCE_MS = 12_000;
const FIRST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 500;

/** A pool whose lost connections never crash the process, and transactions that are tried again when that is safe. */
export class Database implements Queries {
  readonly #pool: pg.Pool;

  constructor(options: DatabaseOptions) {
    this.#pool = new pg.Pool(poolConfig(options));
    this.#pool.on('error', options.onError);
  }

  /** One statement that may safely run twice: a read, or a write that says the same thing again. */
  async rows<T>(statement: RawBuilder<T>): Promise<readonly T[]> {
    return this.#retrying(async () => {
      const client = await this.#connect();
      return using(client, () => send(client, statement));
    });
  }

  async first<T>(statement: RawBuilder<T>): Promise<T | null> {
    return (await this.rows(statement))[0] ?? null;
  }

  /** `work` may run more than once; throws {@link CommitUnknown} when nobody can say whether it was committed. */
  async transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#retrying(() => this.#attempt(work));
  }

  /** Answers at once: fails when the server does not. */
  async ping(): Promise<void> {
    const client = await this.#connect();
    await using(client, () => client.query('select 1'));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    const client = await this.#pool.connect();
    // A client that is checked out reports a lost connection here, and to the query in flight; the query's error is the one that counts.
    client.on('error', ignore);
    return client;
  }

  async #attempt<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    return using(client, async () => {
      await client.query('begin');
      const result = await this.#inside(client, work);
      await commit(client);
      return result;
    });
  }

  async #inside<T>(client: pg.PoolClient, work: (queries: Queries) => Promise<T>): Promise<T> {
    let open = true;
    const rows = <Row>(statement: RawBuilder<Row>): Promise<readonly Row[]> => {
      if (!open) return Promise.reject(new Error('the transaction has ended: something in it was not awaited'));
      return send(client, statement);
    };
    try {
      return await work({ rows, first: async (statement) => (await rows(statement))[0] ?? null });
    } catch (error) {
      await client.query('rollback').catch(ignore);
      throw error;
    } finally {
      open = false;
    }
  }

  async #retrying<T>(work: () => Promise<T>): Promise<T> {
    const since = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        const lost = isConnectionLoss(error) && performance.now() - since < PATIENCE_MS;
        if (!lost && (attempt >= ATTEMPTS || !isConflict(error))) throw error;
      }
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
      await delay(pause * (0.5 + Math.random()));
    }
  }
}

const commit = async (client: pg.PoolClient): Promise<void> => {
  try {
    // A transaction that failed inside answers COMMIT with ROLLBACK, and no error: `work` swallowed one.
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back: an error inside it was swallowed');
  } catch (error) {
    if (isConnectionLoss(error)) throw new CommitUnknown('the connection was lost during COMMIT', { cause: error });
    throw error;
  }
};

const send = async <T>(client: pg.ClientBase, statement: RawBuilder<T>): Promise<readonly T[]> => {
  const compiled = statement.compile(compiler);
  const { rows } = await client.query(compiled.sql, compiled.parameters.map(storable));
  return rows as T[];
};

/** PostgreSQL's text has no NUL; what people send may. */
const storable = (value: unknown): unknown =>
  typeof value === 'string' && value.includes('\u0000') ? value.replaceAll('\u0000', '\uFFFD') : value;

/** Gives the client back; one whose answer never came is destroyed, because that answer could still arrive for somebody else. */
const using = async <T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> => {
  let broken = true;
  try {
    const result = await work();
    broken = false;
    return result;
  } catch (error) {
    broken = error instanceof CommitUnknown || isConnectionLoss(error);
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
};

const ignore = (): void => undefined;

/** Connections that see one schema, wait for nothing without end, and do not hold a lock over a process that was stopped. */
export const poolConfig = (options: Omit<DatabaseOptions, 'onError'>): pg.PoolConfig => ({
  connectionString: options.url,
  max: options.poolSize,
  connectionTimeoutMillis: 10_000,
  idleTimeoutMillis: 30_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 5_000,
  statement_timeout: options.statementTimeoutMs,
  query_timeout: options.statementTimeoutMs + 5_000,
  lock_timeout: Math.ceil(options.statementTimeoutMs * 0.7),
  idle_in_transaction_session_timeout: 10_000,
  application_name: 'breakwater',
  options: `-c search_path=${checkedSchema(options.schema)}`,
  types: { getTypeParser },
});

export const checkedSchema = (schema: string): string => {
  if (!/^[a-z_][a-z0-9_]{0,40}$/.test(schema)) throw new Error('a schema is named by lower-case letters, digits and _');
  return schema;
};

const INT8 = 20;

/** Epoch milliseconds and counters fit a double. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text');
