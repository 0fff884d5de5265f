import type { FleetWords, VersionWords } from '../../support/fleet-repository.ts';

export interface CampaignWave {
  readonly name: string;
  readonly maxConcurrent: number;
  readonly failureBudget: number;
  readonly clusters: readonly string[];
}

/** Which clusters there are, and how a rollout goes through them: known before anything is started. */
export interface CampaignFleet {
  /** `c0`, `c1`, …: real control planes. */
  readonly real: readonly string[];
  /** `s0`, `s1`, …. */
  readonly simulated: readonly string[];
  readonly waves: readonly CampaignWave[];
  readonly domains: ReadonlyMap<string, string>;
  readonly maxInFlightOfDomain: number;
}

/** One or two in the first wave, and something in each of the others. */
export const FEWEST_CLUSTERS = 6;
const DOMAINS = 5;
const MAX_IN_FLIGHT_OF_DOMAIN = 2;
/** Shorter than many an outage of the campaign, and longer than many. */
export const UNREACHABLE_WAIT_MS = 5_000;
const SOAK = '2s';
/** Verified clusters are looked at again every 30 s: what fell ill in the first wave is found in this time. */
const LONG_SOAK = '40s';

const named = (letter: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index}`);

export const fleetOf = (real: number, simulated: number): CampaignFleet => {
  const names = { real: named('c', real), simulated: named('s', simulated) };
  const all = [...names.real, ...names.simulated];
  const canary = [names.real[0], names.simulated[0]].filter((name) => name !== undefined);
  const left = all.filter((name) => !canary.includes(name));
  // Real ones first, so that every wave has one where there are three.
  const second = [...left.filter((name) => names.real.includes(name)).slice(0, 1)];
  const simulatedLeft = left.filter((name) => names.simulated.includes(name));
  second.push(...simulatedLeft.slice(0, Math.max(second.length === 0 ? 2 : 1, Math.floor(simulatedLeft.length / 3))));
  const rest = left.filter((name) => !second.includes(name));
  return {
    ...names,
    waves: [
      { name: 'canary', maxConcurrent: 2, failureBudget: 0, clusters: canary },
      { name: 'second', maxConcurrent: 3, failureBudget: 0, clusters: second },
      { name: 'rest', maxConcurrent: 4, failureBudget: 1, clusters: rest },
    ],
    domains: new Map(all.map((name, index) => [name, `d${index % DOMAINS}`])),
    maxInFlightOfDomain: MAX_IN_FLIGHT_OF_DOMAIN,
  };
};

export const clustersOf = (fleet: CampaignFleet): readonly string[] => [...fleet.real, ...fleet.simulated];

const wavesOf = ({ waves }: CampaignFleet, soak: string): string =>
  waves
    .map(({ name, maxConcurrent, failureBudget }, index) => {
      const last = index === waves.length - 1 ? `, soak: ${soak}` : '';
      return (
        `\n    - { name: ${name}, clusters: { matchLabels: { role: ${name} } }, ` +
        `maxConcurrent: ${maxConcurrent}, failureBudget: ${failureBudget}${last} }`
      );
    })
    .join('');

/** How the fleet is written into Git. */
export const wordsOf = (fleet: CampaignFleet): FleetWords => ({
  waves: wavesOf(fleet, SOAK),
  strategy: `  failureDomains: { maxInFlight: ${fleet.maxInFlightOfDomain} }
  unreachable: { wait: ${UNREACHABLE_WAIT_MS / 1_000}s, then: count }
  concurrentRollouts: queue
`,
  roles: new Map(fleet.waves.flatMap(({ name, clusters }) => clusters.map((cluster) => [cluster, name] as const))),
  failureDomains: fleet.domains,
});

/** A strategy that takes its time, and has less patience with what is ill. */
export const patientWords = (fleet: CampaignFleet): Pick<VersionWords, 'waves' | 'timeout'> => ({
  waves: wavesOf(fleet, LONG_SOAK),
  timeout: '30s',
});
