import type { RepositoryMirror } from '../ports/repository.port.ts';
import { createCollector } from './retention.ts';

const HOUR = 3_600_000;
const SPEC = { name: 'fleet', url: '/fleet', ref: 'main' };

const world = () => {
  const told: string[] = [];
  const clock = { now: 0 };
  const forget = async (commit: string): Promise<void> => void told.push(`forget ${commit}`);
  const collect = createCollector(
    {
      retention: {
        records: {
          collect: async (keep) => {
            told.push(`collect ${keep}`);
            return { releases: 1, bundles: 0, commits: ['c1'] };
          },
          close: async () => undefined,
        },
        keepReleases: 7,
      },
      mirrors: { open: async () => ({ forget }) as unknown as RepositoryMirror },
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      monotonic: () => clock.now,
    },
    SPEC,
  );
  return { told, clock, collect };
};

describe('the collector', () => {
  it('lets Git forget what the record has forgotten', async () => {
    const { told, collect } = world();
    await collect();
    expect(told).toEqual(['collect 7', 'forget c1']);
  });

  it('collects once an hour', async () => {
    const { told, clock, collect } = world();
    for (const now of [0, HOUR - 1, HOUR, HOUR + 1]) {
      clock.now = now;
      await collect();
    }
    expect(told.filter((one) => one.startsWith('collect'))).toHaveLength(2);
  });
});
