/**
 * Keeps control planes running between test suites, which are processes of their own. Suites lease clusters over a
 * connection that they keep open; when it closes, however they ended, their clusters are cleaned and given to the next.
 * Ends by itself when nobody has leased anything for a while, and takes every program with it.
 *
 * Run as `node daemon.ts STATE_DIR`; prints one line when it is ready.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { availableParallelism, freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries } from './binaries.ts';
import { Child } from './child.ts';
import { ControlPlane } from './control-plane.ts';
import { EtcdClient } from './etcd.ts';
import { ClusterPool, type Lease } from './cluster-pool.ts';
import { freePort } from './ports.ts';

const IDLE_MS = Number(process.env['BREAKWATER_TESTBED_IDLE_MS'] ?? 600_000);
/** API server, controllers and kubelets of one cluster, as measured under load. */
const BYTES_PER_CLUSTER = 600e6;
/** One that nobody uses takes 2 % of a core, and some 10 s of one to start: more of them take the time that they should save. */
const PER_CORE = 7;

function log(message: string): void {
  console.log(`${new Date().toISOString()} ${message}`);
}

function dataRoot(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

/** Kills the process group of the daemon once the daemon is gone, also after a SIGKILL: its end of the pipe closes then. */
function startGuardian(dataDir: string): void {
  const guardian = spawn(
    'sh',
    ['-c', 'cat >/dev/null; kill -KILL "-$1" 2>/dev/null; rm -rf "$2"', 'guardian', String(process.pid), dataDir],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  guardian.unref();
}

async function startEtcd(
  programs: string,
  dataDir: string,
): Promise<{ child: Child; url: string; client: EtcdClient }> {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const child = new Child(
    'etcd',
    join(programs, 'etcd'),
    [
      `--data-dir=${join(dataDir, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
      '--quota-backend-bytes=8589934592',
      '--auto-compaction-mode=periodic',
      '--auto-compaction-retention=15m',
      '--log-level=warn',
    ],
    join(dataDir, 'etcd.log'),
  );
  const etcd = new EtcdClient(url);
  for (let attempt = 0; !(await etcd.healthy()); attempt++) {
    if (child.exited || attempt > 300) throw new Error(`etcd does not start: see ${join(dataDir, 'etcd.log')}`);
    await delay(50);
  }
  return { child, url, client: etcd };
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function main(stateDir: string): Promise<void> {
  const binaries = findBinaries();
  if (!binaries) throw new Error('the programs of the test bed are neither in $KUBEBUILDER_ASSETS, PATH nor the cache');
  const dataDir = mkdtempSync(join(dataRoot(), 'breakwater-testbed-'));
  startGuardian(dataDir);
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const serviceAccountKey = { publicFile: join(dataDir, 'sa.pub'), privateFile: join(dataDir, 'sa.key') };
  writeFileSync(serviceAccountKey.publicFile, keys.publicKey);
  writeFileSync(serviceAccountKey.privateFile, keys.privateKey, { mode: 0o600 });
  const etcd = await startEtcd(binaries.dir, dataDir);
  log(`programs from ${binaries.dir}, data in ${dataDir}`);

  const pool = new ClusterPool({
    max: Number(
      process.env['BREAKWATER_TESTBED_MAX'] ??
        Math.max(4, Math.min(PER_CORE * availableParallelism(), Math.floor((freemem() * 0.7) / BYTES_PER_CLUSTER))),
    ),
    startsAtOnce: 2,
    create: (index) => {
      const name = `cluster-${index}`;
      const dir = join(dataDir, name);
      return new ControlPlane({
        name,
        dir,
        programs: binaries.dir,
        etcdUrl: etcd.url,
        etcd: etcd.client,
        serviceAccountKey,
      });
    },
    log,
  });

  const token = randomBytes(24).toString('hex');
  let stopped = false;
  const stop = async (why: string, expected = true): Promise<void> => {
    if (stopped) return;
    stopped = true;
    log(`stopping: ${why}`);
    // Gone first, so that nobody turns to a daemon that is ending. The log stays only where something went wrong.
    rmSync(expected ? stateDir : join(stateDir, 'state.json'), { recursive: true, force: true });
    await pool.stop();
    await etcd.child.kill();
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(0);
  };
  void etcd.child.whenExited().then(() => stop('etcd ended', false));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));

  let stopWhenUnused = false;
  let idle = setTimeout(() => void stop('idle'), IDLE_MS);
  pool.onChange(() => {
    clearTimeout(idle);
    if (pool.leases > 0) return;
    if (stopWhenUnused) void stop('asked for, and unused now');
    else idle = setTimeout(() => void stop('idle'), IDLE_MS);
  });

  const authorised = (request: IncomingMessage): boolean => {
    const given = Buffer.from(request.headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${token}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  };

  const lease = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readJson(request);
    const say = (line: object): void => void response.write(`${JSON.stringify(line)}\n`);
    stopWhenUnused = false;
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const held: Lease = pool.lease(Number(body['clusters']), String(body['label'] ?? ''), (progress) =>
      say({ progress }),
    );
    response.on('close', () => void held.release());
    try {
      const clusters = await held.granted;
      say({ clusters: clusters.map((cluster) => cluster.access) });
    } catch (error) {
      say({ error: String(error) });
      response.end();
    }
  };

  const act = async (name: string, action: string): Promise<unknown> => {
    const cluster = pool.get(name);
    if (!cluster) return null;
    if (action === 'freeze') cluster.freeze();
    else if (action === 'thaw') cluster.thaw();
    else if (action === 'kill') await cluster.kill();
    else if (action === 'restart') await cluster.restart();
    else if (action === 'reset') await cluster.reset();
    else if (action === 'change-identity') return { uid: await cluster.changeIdentity() };
    else return null;
    return {};
  };

  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const route = async (): Promise<void> => {
      const path = (request.url ?? '').split('/').slice(1);
      if (!authorised(request)) return answer(401, { error: 'unauthorised' });
      if (request.method === 'GET' && path[0] === 'status')
        return answer(200, { pid: process.pid, dataDir, ...pool.status() });
      if (request.method !== 'POST') return answer(405, { error: 'method' });
      if (path[0] === 'leases') return lease(request, response);
      if (path[0] === 'stop') {
        answer(200, { leases: pool.leases });
        if (path[1] === 'now' || pool.leases === 0) return stop('asked for');
        stopWhenUnused = true;
        return;
      }
      const result = path[0] === 'clusters' ? await act(path[1] ?? '', path[2] ?? '') : null;
      return result === null ? answer(404, { error: 'unknown' }) : answer(200, result);
    };
    route().catch((error: unknown) => answer(500, { error: String(error) }));
  });
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    // Renamed into place, because readers must never see half of it.
    writeFileSync(join(stateDir, 'state.json.new'), JSON.stringify({ pid: process.pid, port, token }), { mode: 0o600 });
    renameSync(join(stateDir, 'state.json.new'), join(stateDir, 'state.json'));
    log('ready');
  });
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  log(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exit(1);
});
