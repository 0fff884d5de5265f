import type { ClusterEnd, Landing } from './evidence.ts';

export type Outage = 'cut off' | 'refuse' | 'lose answers' | 'freeze an API server' | 'kill an API server';

/** A write that its server has, and has not done yet. */
export interface Held {
  /** Some worker has sent it. */
  readonly caught: () => boolean;
  /** Done now, whoever has sent it; nothing when none was caught. */
  readonly land: () => Promise<void>;
}

/** One cluster, as far as the campaign needs it: how it is disturbed, and what it tells. */
export interface CampaignCluster {
  readonly name: string;
  /** @returns what ends the outage */
  readonly disturb: (outage: Outage) => Promise<() => Promise<void>>;
  /** The next write to one of the application's objects that is there already is held. */
  readonly hold: () => Held;
  /** Makes an object in the application's namespace that is nobody's. */
  readonly putStranger: () => Promise<void>;
  /** From now on {@link landings} tells what follows. */
  readonly forget: () => Promise<void>;
  readonly landings: () => Promise<readonly Landing[]>;
  /** After an outage: returns when the cluster's own controllers work again. */
  readonly recovered: () => Promise<void>;
  readonly end: () => Promise<ClusterEnd>;
}

export const STRANGER = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'stranger', namespace: 'web' },
  data: { mine: 'yes' },
};

/** Not a dry run, and not of what a single version has: that would be a create, which nothing can prevent. */
export const isHeldBack = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method === 'PATCH' && path.includes('/namespaces/web/') && !path.includes('/of-') && !path.includes('dryRun');
