import type { MeasureRequest } from '@breakwater/application';
import { gateKind, type JsonObject, type Measurement, type RolloutId } from '@breakwater/domain';
import { createGateProbes } from '@breakwater/gates';
import { type SimulatedMetrics, startSimulatedMetrics } from '@breakwater/simulator';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { checkout } from './example-repository.ts';

interface GateDocument {
  readonly spec: { readonly template: { readonly comparison: JsonObject & { readonly address: string } } };
}

const UPDATED = ['eu-north-1', 'eu-north-2'];
const UNTOUCHED = ['eu-west-1', 'eu-west-2', 'us-east-1', 'ap-south-1'];
/** As the gate comes to look: when a window has passed since the update. The figures of that time are computed. */
const LATER = 4_000;

describe("the example's canary gate over the simulated metrics", () => {
  let images: Readonly<Record<string, string>> = {};
  let looks = 0;
  let metrics: SimulatedMetrics;

  beforeEach(async () => {
    images = Object.fromEntries([...UPDATED, ...UNTOUCHED].map((name) => [name, 'podinfo:1']));
    const targets = Object.keys(images).map((name) => ({
      name,
      servingImages: (): Promise<readonly string[]> => {
        looks += 1;
        return Promise.resolve([images[name] ?? '']);
      },
    }));
    metrics = await startSimulatedMetrics(targets, { lookEveryMs: 5 });
  });

  afterEach(() => metrics.stop());

  /** Every target was looked at once more, from beginning to end. */
  const seen = async (): Promise<void> => {
    const enough = looks + 2 * Object.keys(images).length;
    while (looks < enough) await delay(5);
  };

  const measure = async (allowedHosts: readonly string[]): Promise<Measurement> => {
    const { spec } = parse(readFileSync(join(checkout(), 'examples/shop/gate.yaml'), 'utf8')) as GateDocument;
    const { comparison } = spec.template;
    const address = comparison.address.replace('${prometheus}', metrics.address);
    const now = Date.now();
    const request: MeasureRequest = {
      gate: {
        name: 'canary-errors',
        kind: 'comparison',
        phase: 'after',
        policy: {
          initialDelay: 0,
          interval: 1_000,
          count: 1,
          failureLimit: 0,
          inconclusiveLimit: 0,
          consecutiveErrorLimit: 0,
          timeout: null,
          onInconclusive: 'wait',
        },
        spec: gateKind('comparison')
          ?.schema()
          .parse({ ...comparison, address }) as JsonObject,
      },
      rollout: {
        id: 'r1' as RolloutId,
        application: 'podinfo',
        fleet: 'shop',
        namespace: 'podinfo',
        revision: { repository: 'fleet', commit: 'c0ffee' } as unknown as MeasureRequest['rollout']['revision'],
      },
      wave: 'canary',
      clusters: UPDATED.map((name) => ({ name, region: 'eu-north' })),
      members: () =>
        Promise.resolve([
          ...UPDATED.map((cluster) => ({ cluster, region: 'eu-north', state: 'updated' as const, updatedAt: now })),
          ...UNTOUCHED.map((cluster) => ({ cluster, region: 'r', state: 'untouched' as const, updatedAt: null })),
        ]),
      connect: () => Promise.reject(new Error('not needed')),
      withPermit: () => Promise.resolve(null),
      startedAt: now,
      now: now + LATER,
      memo: null,
      callback: null,
      signal: new AbortController().signal,
    };
    const probe = createGateProbes({ allowedHosts, secretsDirectory: null }).get('comparison');
    return (await probe?.measure(request)) ?? { verdict: 'Error', evidence: 'no such probe' };
  };

  it('passes a release that changes nothing', async () => {
    const { verdict, evidence } = await measure([metrics.host]);
    expect([verdict, evidence]).toEqual(['Success', expect.stringContaining('on 2 updated clusters')]);
  });

  it('fails one whose image makes twice as many errors', async () => {
    images = { ...images, ...Object.fromEntries(UPDATED.map((name) => [name, 'podinfo:2-errors-2x'])) };
    await seen();
    const { verdict, evidence } = await measure([metrics.host]);
    expect([verdict, evidence]).toEqual(['Failure', expect.stringContaining('on 4 untouched clusters')]);
  });

  it('reaches nothing where its address is not allowed', async () => {
    const { verdict, evidence } = await measure([]);
    expect([verdict, evidence]).toEqual(['Error', expect.stringContaining('BREAKWATER_GATE_HOSTS')]);
  });
});
