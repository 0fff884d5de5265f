import type { KubeObject } from '@breakwater/domain';
import type { Content } from './evidence.ts';
import type { ReleaseStep } from './steps.ts';

/** Objects that a release brings to a cluster, by the words of its commit. */
export const contentOf = (release: ReleaseStep, cluster: string): Content => {
  const { version, settings, claim, brokenOn, behaviour } = release;
  const maps = [...Array.from({ length: settings }, (_, index) => `settings-${index}`), `of-${version}`];
  const tag = brokenOn.includes(cluster) ? `${behaviour}-${version}` : version;
  return {
    ...Object.fromEntries(maps.map((name) => [`ConfigMap/${name}`, version])),
    ...(claim ? { 'PersistentVolumeClaim/data': '' } : {}),
    'Deployment/web': `shop/web:${tag}`,
  };
};

/** Claims are protected: one that a former release brought stays. */
export const sameContent = (has: Content, wanted: Content): boolean => {
  const { 'PersistentVolumeClaim/data': claim, ...others } = has;
  const { 'PersistentVolumeClaim/data': wantedClaim, ...wantedOthers } = wanted;
  if (wantedClaim !== undefined && claim === undefined) return false;
  const keys = Object.keys(others);
  return keys.length === Object.keys(wantedOthers).length && keys.every((key) => others[key] === wantedOthers[key]);
};

/** Each object is of one of the two, whatever is missing. */
export const isMixOf = (has: Content, both: readonly Content[]): boolean =>
  Object.entries(has).every(
    ([key, value]) => key === 'PersistentVolumeClaim/data' || both.some((content) => content[key] === value),
  );

export const describeContent = (content: Content): string =>
  Object.entries(content)
    .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
    .sort()
    .join(' ') || 'nothing';

/** What a live object says of its version; null: nothing. */
export const versionOf = (object: unknown): string | null => {
  const { data, spec } = (object ?? {}) as {
    data?: { version?: string };
    spec?: { template?: { spec?: { containers?: { image?: string }[] } } };
  };
  const image = spec?.template?.spec?.containers?.[0]?.image;
  return data?.version ?? (image === undefined ? null : (/(\d+)$/.exec(image)?.[1] ?? null));
};

export const contentOfLive = (objects: readonly KubeObject[]): Content =>
  Object.fromEntries(
    objects
      .filter(({ metadata }) => metadata.labels?.['breakwater.dev/application'] === 'web')
      .map((object) => {
        const { spec } = object as { spec?: { template?: { spec: { containers: { image: string }[] } } } };
        const value = spec?.template?.spec.containers[0]?.image ?? versionOf(object) ?? '';
        return [`${object.kind}/${object.metadata.name}`, value];
      }),
  );

export const isReady = (deployment: KubeObject | undefined): boolean => {
  const { status } = (deployment ?? {}) as {
    status?: { observedGeneration?: number; updatedReplicas?: number; availableReplicas?: number };
  };
  return (
    status?.observedGeneration === deployment?.metadata.generation &&
    status?.updatedReplicas === 1 &&
    status.availableReplicas === 1
  );
};
