import type { GateProbe, MeasureRequest } from '@breakwater/application';
import { gateKind, type JsonObject, plannedGate, type RolloutId } from '@breakwater/domain';
import { createGateProbes } from '@breakwater/gates';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request as bareRequest } from 'undici';
import { type Cost, costOf, eachOf } from './measure.ts';
import { digits, type Finding } from './report.ts';

const AT_ONCE = 32;
const WARM_UP = 500;

/** What Prometheus answers to an instant query with this many series. */
const vector = (series: number): string =>
  JSON.stringify({
    status: 'success',
    data: {
      resultType: 'vector',
      result: Array.from({ length: series }, (_, n) => ({
        metric: { cluster: `c${n}`, job: 'web' },
        value: [1_700_000_000, '0.004'],
      })),
    },
  });

const startPrometheus = async (body: string): Promise<{ readonly address: string; stop(): Promise<void> }> => {
  const server = createServer((incoming, response) => {
    incoming.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const requestTo = (address: string): MeasureRequest => {
  const spec = gateKind('prometheus')
    ?.schema()
    .parse({ address, query: 'sum by (cluster) (rate(errors[1m]))', success: 'results.all(r, r.value < 0.01)' });
  return {
    gate: plannedGate('errors', 'prometheus', { phase: 'after' }, spec as JsonObject),
    rollout: {
      id: 'bench' as RolloutId,
      application: 'web',
      fleet: 'bench',
      namespace: 'web',
      revision: { commit: '0'.repeat(40), digest: 'sha256:0' },
    },
    wave: 'first',
    clusters: [{ name: 'c0', region: 'eu-west' }],
    members: () => Promise.resolve([]),
    connect: () => Promise.reject(new Error('this gate asks no cluster')),
    withPermit: () => Promise.resolve(null),
    startedAt: 0,
    now: Date.now(),
    memo: null,
    callback: null,
    signal: new AbortController().signal,
  };
};

const measureAll = (probe: GateProbe, address: string, count: number): Promise<Cost> => {
  // As the plan has it: read and checked long before.
  const request = requestTo(address);
  return costOf(() =>
    eachOf(Array.from({ length: count }), AT_ONCE, async () => {
      const { verdict, evidence } = await probe.measure(request);
      if (verdict !== 'Success') throw new Error(`measured ${verdict}: ${evidence}`);
    }),
  );
};

const askAll = (address: string, count: number): Promise<Cost> =>
  costOf(() =>
    eachOf(Array.from({ length: count }), AT_ONCE, async () => {
      const { body } = await bareRequest(`${address}/api/v1/query?query=up`);
      await body.json();
    }),
  );

/** The server is this process: what it costs is in both, and is no more than answering with a string. */
export const benchGateMeasurements = async ({ count }: { readonly count: number }): Promise<Finding> => {
  const probe = createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: null }).get('prometheus');
  if (probe === undefined) throw new Error('there is no probe of kind prometheus');
  const rows: (readonly string[])[] = [];
  const figures: Record<string, number> = { count };
  for (const series of [1, 20]) {
    const prometheus = await startPrometheus(vector(series));
    try {
      await measureAll(probe, prometheus.address, WARM_UP);
      await askAll(prometheus.address, WARM_UP);
      const ours = await measureAll(probe, prometheus.address, count);
      const floor = await askAll(prometheus.address, count);
      figures[`cpuRatio${series}`] = ours.cpuMs / floor.cpuMs;
      figures[`cpuMs${series}`] = ours.cpuMs / count;
      rows.push([
        `${series} series`,
        digits(ours.cpuMs / count),
        digits(floor.cpuMs / count),
        `${digits(ours.cpuMs / floor.cpuMs)} ×`,
        digits((count / ours.wallMs) * 1_000),
      ]);
    } finally {
      await prometheus.stop();
    }
  }
  return {
    name: 'gate-measurements',
    title: `${count} measurements of a prometheus gate over HTTP, ${AT_ONCE} at once; CPU in ms for each`,
    columns: ['', 'ours', 'floor', 'CPU', 'measured per second'],
    rows,
    notes: ['floor: the same answers by bare undici, parsed; ours checks hosts and bounds, and judges them with CEL'],
    figures,
  };
};
