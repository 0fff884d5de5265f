import pg from 'pg';
import type { KubeObject } from '@breakwater/domain';
import { startDatabase } from './embedded.ts';
import { commit, durationOf, ended, type Hub, openHub, readyClusters, start, startWorker } from './hub.ts';
import { type Cost, costOf } from './measure.ts';
import { digits, type Finding } from './report.ts';
import { startSimulators } from './simulators.ts';

let statements = 0;

/** Every statement of this process, the queue's included. */
const countStatements = (): (() => void) => {
  const client = pg.Client.prototype as { query: (...given: unknown[]) => unknown };
  const { query } = client;
  client.query = function (this: unknown, ...given: unknown[]): unknown {
    statements += 1;
    return query.apply(this, given);
  };
  return () => {
    client.query = query;
  };
};

interface Rows {
  readonly returned: number;
  readonly changed: number;
}

/** What the database itself had to touch. */
const rowsTouched = async (url: string): Promise<Rows> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // Backends report when they are idle, at the latest after a second.
  await client.query('select pg_sleep(1.5)');
  const { rows } = await client.query<{ returned: string; changed: string }>(
    `select tup_returned + tup_fetched as returned, tup_inserted + tup_updated + tup_deleted as changed
       from pg_stat_database where datname = current_database()`,
  );
  await client.end();
  return { returned: Number(rows[0]?.returned), changed: Number(rows[0]?.changed) };
};

/** What is rolled out, and how. */
export interface Shape {
  /** YAML of the strategy's spec. */
  readonly strategy: string;
  /** Of a cluster at this place of the fleet, from 0 to 1. */
  readonly labels: (place: number) => Readonly<Record<string, string>>;
  readonly render: (namespace: string) => readonly KubeObject[];
  readonly podReadyMs?: number;
}

interface Size {
  readonly clusters: number;
  readonly cost: Cost;
  readonly statements: number;
  readonly rows: Rows;
}

const measureSize = async (hub: Hub, url: string, size: number, shape: Shape): Promise<Size> => {
  const names = Array.from({ length: size }, (_, n) => `s${size}-${n}`);
  const { podReadyMs } = shape;
  const workloads = podReadyMs === undefined ? {} : { workloads: { podReadyMs } };
  const simulators = await startSimulators({
    clusters: names.map((name) => ({ name, ...workloads })),
    protocol: 'http',
  });
  const worker = await startWorker(hub, {
    kubeconfigs: Object.fromEntries(simulators.servers.map(({ name, kubeconfig }) => [name, kubeconfig])),
  });
  try {
    const application = `app-${size}`;
    const revision = await commit(hub, {
      clusters: Object.fromEntries(names.map((name, place) => [name, shape.labels(place / size)])),
      applications: [application],
      strategy: shape.strategy,
      render: shape.render,
    });
    // Finding new clusters is not part of a rollout.
    await readyClusters(hub, names);
    const before = await rowsTouched(url);
    const counted = statements;
    let wallMs = 0;
    const cost = await costOf(async () => {
      const { id } = await start(hub, application, revision);
      wallMs = durationOf(await ended(hub, id));
    });
    const sent = statements - counted;
    const after = await rowsTouched(url);
    return {
      clusters: size,
      cost: { cpuMs: cost.cpuMs, wallMs },
      statements: sent,
      rows: { returned: after.returned - before.returned, changed: after.changed - before.changed },
    };
  } finally {
    await worker.stop();
    await simulators.stop();
  }
};

/** Each size on servers of its own, over one record. */
export const measureSizes = async (sizes: readonly number[], shape: Shape): Promise<readonly Size[]> => {
  const database = await startDatabase();
  const restore = countStatements();
  const hub = await openHub(database.url);
  const found: Size[] = [];
  try {
    // So that the smallest is not the one that loads and compiles everything.
    await measureSize(hub, database.url, 9, shape);
    for (const size of sizes) found.push(await measureSize(hub, database.url, size, shape));
  } finally {
    await hub.close();
    restore();
    await database.stop();
  }
  return found;
};

/** For each target: it has to stay flat, however many there are. */
export const perTarget = (
  found: readonly Size[],
  { name, title, notes }: Pick<Finding, 'name' | 'title' | 'notes'>,
): Finding => ({
  name,
  title,
  columns: ['clusters', 'our CPU in ms', 'statements', 'rows read', 'rows written', 'time in ms'],
  rows: found.map(({ clusters, cost, statements: sent, rows }) => [
    String(clusters),
    ...[cost.cpuMs, sent, rows.returned, rows.changed, cost.wallMs].map((value) => digits(value / clusters)),
  ]),
  notes,
  figures: Object.fromEntries(
    found.flatMap(({ clusters, cost, statements: sent, rows }) => [
      [`cpuMs${clusters}`, cost.cpuMs / clusters],
      [`statements${clusters}`, sent / clusters],
      [`rowsRead${clusters}`, rows.returned / clusters],
      [`rowsWritten${clusters}`, rows.changed / clusters],
    ]),
  ),
});
