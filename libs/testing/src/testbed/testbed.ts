import { findBinaries, whyNotBuildable } from './binaries.ts';
import { leaseClusters } from './daemon-client.ts';
import { TestbedCluster } from './testbed-cluster.ts';

/** Leased control planes. */
export interface Testbed {
  readonly clusters: readonly TestbedCluster[];
  /** Sets every cluster back to how it was when it was leased. */
  readonly reset: () => Promise<void>;
  /** Gives the clusters back; cleaning them is not our time. Happens by itself when the process ends. */
  readonly release: () => Promise<void>;
}

/**
 * Leases real control planes; they are started when too few are there, which takes some 5 s each, two at a time.
 * Give the hook that calls it a time-out of `TESTBED_TIMEOUT_MS`.
 */
export async function acquireTestbed(options: {
  readonly clusters: number;
  readonly label?: string;
}): Promise<Testbed> {
  const lease = await leaseClusters(options.clusters, options.label ?? 'tests', (line) => {
    if (process.env['BREAKWATER_TESTBED_VERBOSE']) process.stderr.write(`test bed: ${line}\n`);
  });
  const clusters = lease.clusters.map(
    (access) => new TestbedCluster(access, (action) => lease.act(access.name, action)),
  );
  return {
    clusters,
    reset: async () => {
      await Promise.all(clusters.map((cluster) => cluster.reset()));
    },
    release: async () => {
      await Promise.all(clusters.map((cluster) => cluster.close()));
      lease.release();
    },
  };
}

export const TESTBED_TIMEOUT_MS = 240_000;

export interface TestbedAvailability {
  readonly available: boolean;
  /** Why not. */
  readonly reason: string;
  /** Jest's `describe`, or `describe.skip` where the bed cannot run. */
  readonly describe: (name: string, suite: () => void) => void;
}

interface Describe {
  (name: string, suite: () => void): void;
  skip: (name: string, suite: () => void) => void;
}

/**
 * For the top of a suite that needs real API servers: `const { describe } = requireTestbed()`. Where they cannot run, the suite is
 * skipped and says why; with `REQUIRE_KUBE=1` it fails.
 */
export function requireTestbed(): TestbedAvailability {
  const jestDescribe = (globalThis as unknown as { describe: Describe }).describe;
  if (findBinaries()) return { available: true, reason: '', describe: jestDescribe };
  const reason =
    whyNotBuildable() ?? 'the programs of the test bed are not built yet: run `node tools/testbed.mjs prepare`';
  if (process.env['REQUIRE_KUBE'] === '1') throw new Error(`REQUIRE_KUBE=1, but ${reason}`);
  process.stderr.write(`skipped, real API servers needed: ${reason}\n`);
  return {
    available: false,
    reason,
    describe: (name, suite) => jestDescribe.skip(`${name} [skipped: ${reason}]`, suite),
  };
}
