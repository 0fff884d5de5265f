import { contentOf } from '../content.ts';
import { type Break, describeLanding, type Evidence, type Judge, type Landing } from '../evidence.ts';
import { fencePeriods, type FencePeriod, holdersOf, targetOf } from './holders.ts';

/** Two rollouts never have one epoch, and no epoch comes after a higher one. */
const brokenFences = (cluster: string, periods: readonly FencePeriod[]): readonly Break[] =>
  periods.flatMap((period, index) => {
    const before = periods[index - 1];
    if (before === undefined || period.epoch > before.epoch) return [];
    if (period.epoch === before.epoch && period.rollout === before.rollout) return [];
    const words = ({ rollout, epoch }: FencePeriod): string => `${rollout} epoch ${epoch}`;
    return [{ what: `${cluster}: the fence went from ${words(before)} to ${words(period)}`, evidence: [] }];
  });

/** Versions that the holders may bring to this cluster: the one that each is of, and the one that was there before; null: nothing. */
const allowed = (evidence: Evidence, cluster: string, holders: readonly FencePeriod[]): ReadonlySet<string | null> =>
  new Set(
    holders.flatMap(({ rollout }) => {
      const target = targetOf(evidence.rollouts, rollout, cluster);
      const commits = target === undefined ? [] : [target.revision, target.previous];
      return commits.map((commit) => (commit === null ? null : (evidence.versions.get(commit) ?? '')));
    }),
  );

const KINDS: Readonly<Record<string, string>> = {
  configmaps: 'ConfigMap',
  deployments: 'Deployment',
  persistentvolumeclaims: 'PersistentVolumeClaim',
};

/** One of the two versions is without the object: it is pruned, or taken back. */
const mayGo = (evidence: Evidence, landing: Landing, versions: ReadonlySet<string | null>): boolean => {
  const [resource = '', , name] = landing.object.split('/');
  const key = `${KINDS[resource] ?? resource}/${name}`;
  return [...versions].some((version) => {
    if (version === null) return true;
    const release = evidence.releases.get(version);
    return release !== undefined && !(key in contentOf(release, landing.cluster));
  });
};

const wrongOf = (evidence: Evidence, landing: Landing, periods: readonly FencePeriod[]): string | null => {
  // A late create cannot be prevented while nothing is there; that it is taken away again, the end shows.
  if (landing.verb === 'create') return null;
  const holders = holdersOf(landing, periods);
  if (!holders.some(({ open }) => open)) return 'an object was written while nobody had the fence open';
  const versions = allowed(
    evidence,
    landing.cluster,
    holders.filter(({ open }) => open),
  );
  if (landing.verb === 'delete') {
    return versions.size === 0 || mayGo(evidence, landing, versions)
      ? null
      : 'an object was deleted that both versions have';
  }
  if (landing.version === null || versions.has(landing.version)) return null;
  return `version ${landing.version} was written while the fence was held for ${[...versions].join(' or ')}`;
};

/**
 * Rule 1: no write of a rollout lands after a newer one has taken the fence. From each server's own order of writes: epochs only grow, and
 * an object that is written is of a version that whoever holds the fence at that moment may write.
 */
export const judgeOneWriter: Judge = (evidence) => {
  const periods = fencePeriods(evidence);
  const broken: Break[] = [...periods].flatMap(([cluster, list]) => brokenFences(cluster, list));
  let judged = 0;
  for (const landing of evidence.landings) {
    if (landing.fence !== null || landing.object.startsWith('namespaces/')) continue;
    judged += 1;
    const list = periods.get(landing.cluster) ?? [];
    const wrong = wrongOf(evidence, landing, list);
    if (wrong === null) continue;
    const around = evidence.landings
      .filter(({ cluster, fence }) => cluster === landing.cluster && fence !== null)
      .slice(-6)
      .map(describeLanding);
    broken.push({ what: `${landing.cluster}: ${wrong}`, evidence: [describeLanding(landing), ...around] });
  }
  return { rule: 'one writer (rule 1)', judged, broken };
};
