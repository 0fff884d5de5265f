import { objectDigest, objectKey } from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';
import type { BundleStore } from '../releases/bundle-store.ts';
import type { PlanPreview } from '../use-cases.ts';
import { diffBundles } from './bundle-diff.ts';
import { preparePlan } from './plan-rollout.ts';

/** Per distinct pair of bundles once: a fleet of thousands has a handful. */
export const previewPlan = async (
  parts: { readonly record: RecordPort; readonly bundles: BundleStore },
  input: { readonly application: string; readonly revision?: string; readonly strategy?: string },
): Promise<PlanPreview> => {
  const prepared = await preparePlan(parts.record, input);
  const everywhere = new Map(
    (await parts.record.cluster.applicationEverywhere(prepared.application)).map((state) => [state.cluster, state]),
  );
  const quarantines = await parts.record.transaction((tx) => tx.quarantines());
  const cache = new Map<string, PlanPreview['members'][number]['changes']>();
  const changes = async (from: string | null, to: string): Promise<PlanPreview['members'][number]['changes']> => {
    const pair = `${from ?? ''}>${to}`;
    const cached = cache.get(pair);
    if (cached !== undefined) return cached;
    const old = new Map(
      (from === null ? [] : await parts.bundles.load(from)).map((object) => [objectKey(object), objectDigest(object)]),
    );
    const fresh = new Map((await parts.bundles.load(to)).map((object) => [objectKey(object), objectDigest(object)]));
    const keys = [...fresh.keys()];
    const computed = {
      create: keys.filter((key) => !old.has(key)),
      update: keys.filter((key) => old.has(key) && old.get(key) !== fresh.get(key)),
      delete: [...old.keys()].filter((key) => !fresh.has(key)),
      unchanged: keys.filter((key) => old.get(key) === fresh.get(key)).length,
    };
    cache.set(pair, computed);
    return computed;
  };
  const groups = groupsOf(parts.bundles);
  const members: PlanPreview['members'][number][] = [];
  for (const member of prepared.members) {
    const bundle = prepared.release.bundles[member.cluster] ?? '';
    const running = everywhere.get(member.cluster)?.running?.digest ?? null;
    const changed = await changes(running, bundle);
    await groups.add(member.cluster, running, bundle, changed);
    members.push({
      cluster: member.cluster,
      region: member.region,
      wave: prepared.plan.waves[member.wave]?.name ?? '',
      failureDomain: member.failureDomain,
      reason: member.reason,
      quarantine: quarantines.get(member.cluster) ?? null,
      changes: changed,
    });
  }
  return {
    application: prepared.application,
    fleet: prepared.fleet,
    strategy: prepared.plan.strategy,
    revision: { commit: prepared.release.commit, digest: prepared.release.digest },
    waves: prepared.plan.waves,
    members,
    changes: groups.list(),
  };
};

type Changes = PlanPreview['members'][number]['changes'];
type Group = PlanPreview['changes'][number];

/** Clusters with other values have other bundles, and still the same change. */
const groupsOf = (bundles: BundleStore) => {
  const diffs = new Map<string, { readonly key: string; readonly change: Omit<Group, 'clusters'> }>();
  const groups = new Map<string, { readonly clusters: string[]; readonly change: Omit<Group, 'clusters'> }>();
  const diff = async (from: string | null, to: string, changes: Changes) => {
    const update =
      changes.update.length === 0 || from === null ? [] : diffBundles(await bundles.load(from), await bundles.load(to));
    const change = { create: changes.create, delete: changes.delete, update };
    return { key: JSON.stringify(change), change };
  };
  return {
    add: async (cluster: string, from: string | null, to: string, changes: Changes): Promise<void> => {
      if (changes.create.length + changes.update.length + changes.delete.length === 0) return;
      const pair = `${from ?? ''}>${to}`;
      const known = diffs.get(pair) ?? (await diff(from, to, changes));
      diffs.set(pair, known);
      const group = groups.get(known.key) ?? { clusters: [], change: known.change };
      groups.set(known.key, group);
      group.clusters.push(cluster);
    },
    list: (): readonly Group[] =>
      [...groups.values()]
        .toSorted((left, right) => right.clusters.length - left.clusters.length)
        .map(({ clusters, change }) => ({ clusters, ...change })),
  };
};
