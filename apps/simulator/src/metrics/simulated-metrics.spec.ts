import { ERROR_RATIO } from './simulated-query.ts';
import { startSimulatedMetrics } from './simulated-metrics.ts';
import type { SimulatedMetrics } from './simulated-metrics.ts';

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
}

/** As a comparison gate writes them. */
const finite = `((\n${ERROR_RATIO}{application="web"}\n) > -Inf) < Inf`;
const mean = `avg_over_time((${finite})[3000ms:1000ms])`;
const count = `count_over_time((${finite})[3000ms:1000ms])`;
const nonZero = `count_over_time(((${finite}) != 0)[3000ms:1000ms])`;

describe('the simulated Prometheus', () => {
  let images: string[] = [];
  let metrics: SimulatedMetrics;

  beforeEach(async () => {
    images = ['web:1'];
    const servingImages = (): Promise<readonly string[]> => Promise.resolve(images);
    metrics = await startSimulatedMetrics([{ name: 'one', servingImages }], { lookEveryMs: 5 });
  });

  afterEach(() => metrics.stop());

  const ask = async (endpoint: string, parameters: Readonly<Record<string, string>>): Promise<[number, Answer]> => {
    const body = new URLSearchParams(parameters);
    const response = await fetch(`${metrics.address}/api/v1/${endpoint}`, { method: 'POST', body });
    return [response.status, (await response.json()) as Answer];
  };

  it('answers ranges of the past, each point an average over its window', async () => {
    const range = { start: '1000000', end: '1000009', step: '3' };
    const [status, answer] = await ask('query_range', { query: mean, ...range });
    expect([status, answer.data?.resultType]).toEqual([200, 'matrix']);
    const [series] = answer.data?.result ?? [];
    expect(series?.metric).toEqual({ cluster: 'one', simulated: 'true' });
    expect(series?.values?.map(([at]) => at)).toEqual([1_000_000, 1_000_003, 1_000_006, 1_000_009]);
    const samples = await Promise.all(
      [1_000_001, 1_000_002, 1_000_003].map(async (time) => {
        const [, instant] = await ask('query', { query: ERROR_RATIO, time: String(time) });
        return Number(instant.data?.result[0]?.value?.[1]);
      }),
    );
    const expected = samples.reduce((sum, sample) => sum + sample, 0) / 3;
    expect(Number(series?.values?.[1]?.[1])).toBeCloseTo(expected, 12);
  });

  it('counts the samples of a window', async () => {
    for (const query of [count, nonZero]) {
      const [, answer] = await ask('query', { query, time: '1000000' });
      expect(answer.data?.result).toEqual([{ metric: { cluster: 'one', simulated: 'true' }, value: [1_000_000, '3'] }]);
    }
  });

  it('follows the images that its targets name', async () => {
    const now = async (): Promise<number> => {
      const [, answer] = await ask('query', { query: ERROR_RATIO });
      return Number(answer.data?.result[0]?.value?.[1]);
    };
    expect(await now()).toBeLessThan(0.02);
    images = ['web:2-errors-10x'];
    while ((await now()) < 0.05);
  });

  it.each([
    ['another metric', 'query', { query: 'up' }, 400],
    ['PromQL that it does not know', 'query', { query: `sum(${ERROR_RATIO})` }, 400],
    ['no query', 'query', {}, 400],
    ['a range without an end', 'query_range', { query: mean, start: '0', step: '1' }, 400],
    ['a range backwards', 'query_range', { query: mean, start: '9', end: '0', step: '1' }, 400],
    ['too many points', 'query_range', { query: mean, start: '0', end: '2000', step: '1' }, 400],
    ['another path', 'series', { query: mean }, 404],
  ])('refuses %s, and says that it is simulated', async (_what, endpoint, parameters, status) => {
    const [answered, answer] = await ask(endpoint, parameters);
    expect([answered, answer.status]).toEqual([status, 'error']);
    expect(answer.error).toContain('simulated');
  });
});
