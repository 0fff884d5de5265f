import { type Break, describeLanding, type Evidence, type Judge, type Landing } from '../evidence.ts';
import { fencePeriods, targetOf } from './holders.ts';

const waveOf = ({ fleet }: Evidence, cluster: string): number =>
  fleet.waves.findIndex(({ clusters }) => clusters.includes(cluster));

/** Landings of a rollout's fence on a cluster, in order. */
const fencesOf = (evidence: Evidence, rollout: string, cluster: string): readonly Landing[] =>
  evidence.landings.filter((landing) => landing.cluster === cluster && landing.fence?.rollout === rollout);

/** Never begun, says the record, and no object of its release has come to the cluster. */
const hasOnlyTakenBack = (evidence: Evidence, id: string, cluster: string): boolean => {
  const version = evidence.rollouts.find((rollout) => rollout.id === id)?.release.version;
  return (
    targetOf(evidence.rollouts, id, cluster)?.started === false &&
    !evidence.landings.some((landing) => landing.cluster === cluster && landing.version === version)
  );
};

/**
 * Rule 2: a cluster is not touched before every cluster of the waves before has been, and its fence closed again. What a rollout takes back
 * without having begun on it, because a superseded one had, goes in the other order.
 */
export const judgeWaveOrder: Judge = (evidence) => {
  const broken: Break[] = [];
  let judged = 0;
  for (const { id } of evidence.rollouts.filter((rollout) => evidence.started.has(rollout.id))) {
    for (const [index, wave] of evidence.fleet.waves.entries()) {
      const begun = wave.clusters
        .filter((cluster) => !hasOnlyTakenBack(evidence, id, cluster))
        .flatMap((cluster) => fencesOf(evidence, id, cluster).slice(0, 1));
      const first = begun.sort((a, b) => a.receivedAt - b.receivedAt)[0];
      if (first === undefined) continue;
      judged += 1;
      for (const cluster of evidence.fleet.waves.slice(0, index).flatMap(({ clusters }) => clusters)) {
        const closed = fencesOf(evidence, id, cluster).find(({ fence }) => fence?.open === false);
        if (closed !== undefined && closed.receivedAt <= first.landedAt) continue;
        broken.push({
          what: `${id}: ${first.cluster} of wave ${wave.name} was touched before ${cluster} of an earlier wave was done`,
          evidence: [
            describeLanding(first),
            closed === undefined ? `${cluster}: no closed fence` : describeLanding(closed),
          ],
        });
      }
    }
  }
  return { rule: 'waves are ordered (rule 2)', judged, broken };
};

interface Stay {
  readonly cluster: string;
  readonly rollout: string;
  readonly from: number;
  readonly to: number;
}

/**
 * When a rollout surely had a cluster open for the first time: it was going forward. Later epochs may be its return. Clusters that were
 * disturbed are left out: one that failed is not in flight any more, though nobody could close its fence.
 */
const firstStays = (evidence: Evidence): readonly Stay[] =>
  [...fencePeriods(evidence)].flatMap(([cluster, periods]) => {
    if (evidence.disturbed.has(cluster)) return [];
    const seen = new Map<string, number>();
    return periods.flatMap(({ rollout, epoch, landed, nextFrom, open }, index): readonly Stay[] => {
      const first = seen.get(rollout) ?? epoch;
      seen.set(rollout, first);
      if (!open || epoch !== first || !evidence.started.has(rollout) || landed >= nextFrom) return [];
      // One that its rollout never closed was left by an abort, or by a newer rollout: nobody knows when.
      if (periods[index + 1]?.rollout !== rollout) return [];
      return [{ cluster, rollout, from: landed, to: nextFrom }];
    });
  });

/** The most at once, and who they were. */
const mostAtOnce = (stays: readonly Stay[]): readonly Stay[] => {
  let most: readonly Stay[] = [];
  for (const { from } of stays) {
    const now = stays.filter((stay) => stay.from <= from && from < stay.to);
    if (now.length > most.length) most = now;
  }
  return most;
};

const tooMany = (stays: readonly Stay[], limit: number, where: string): readonly Break[] => {
  const most = mostAtOnce(stays);
  if (most.length <= limit) return [];
  const evidence = most.map(
    ({ cluster, rollout, from, to }) =>
      `${cluster}: ${rollout} from ${new Date(from).toISOString()} to ${to === Infinity ? 'the end' : new Date(to).toISOString()}`,
  );
  return [{ what: `${where}: ${most.length} clusters at once, ${limit} are allowed`, evidence }];
};

/** Rule 3: clusters that are written at once, by the servers' own logs: of a wave, and of a failure domain over all rollouts. */
export const judgeConcurrency: Judge = (evidence) => {
  const stays = firstStays(evidence);
  const { waves, domains, maxInFlightOfDomain } = evidence.fleet;
  const inWaves = [...evidence.started].flatMap((rollout) =>
    waves.flatMap(({ name, clusters, maxConcurrent }) =>
      tooMany(
        stays.filter((stay) => stay.rollout === rollout && clusters.includes(stay.cluster)),
        maxConcurrent,
        `${rollout}, wave ${name}`,
      ),
    ),
  );
  const inDomains = [...new Set(domains.values())].flatMap((domain) =>
    tooMany(
      stays.filter(({ cluster }) => domains.get(cluster) === domain),
      maxInFlightOfDomain,
      `failure domain ${domain}`,
    ),
  );
  return { rule: 'concurrency is bounded (rule 3)', judged: stays.length, broken: [...inWaves, ...inDomains] };
};

/** Rules 2 and 3: nothing of a release that is bad in a wave reaches the waves after it. */
export const judgeBadReleases: Judge = (evidence) => {
  const broken: Break[] = [];
  let judged = 0;
  for (const { release } of evidence.rollouts.filter(({ id }) => evidence.started.has(id))) {
    if (release.behaviour !== 'broken' || release.brokenOn.length === 0) continue;
    judged += 1;
    const bad = Math.min(...release.brokenOn.map((cluster) => waveOf(evidence, cluster)));
    for (const landing of evidence.landings) {
      if (landing.version !== release.version || waveOf(evidence, landing.cluster) <= bad) continue;
      broken.push({
        what: `release ${release.version} is bad in wave ${evidence.fleet.waves[bad]?.name ?? ''} and reached ${landing.cluster}`,
        evidence: [describeLanding(landing)],
      });
    }
  }
  return { rule: 'a bad release stays in its wave (rules 2, 3)', judged, broken };
};
