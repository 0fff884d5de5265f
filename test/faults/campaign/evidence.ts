import type { CampaignFleet } from './campaign-fleet.ts';
import type { ReleaseStep } from './steps.ts';

/** What a fence said after a write of it. */
export interface FenceState {
  readonly rollout: string;
  readonly epoch: number;
  readonly open: boolean;
}

/** One write that changed a cluster, as its server tells it. */
export interface Landing {
  readonly cluster: string;
  /** Epoch ms. It took effect between the two; a simulated server knows the moment exactly. */
  readonly receivedAt: number;
  readonly landedAt: number;
  readonly verb: 'create' | 'write' | 'delete';
  /** `configmaps/web/settings-0`; without a namespace: `namespaces//web`. */
  readonly object: string;
  /** Of an object that says it; null: a fence, a claim, a deletion, or only marks were written. */
  readonly version: string | null;
  readonly fence: FenceState | null;
}

/** What a cluster has of the application: version of each ConfigMap, image of the Deployment, by `Kind/name`. */
export type Content = Readonly<Record<string, string>>;

export interface ClusterEnd {
  readonly content: Content;
  /** The Deployment is available as it is specified; null where controllers were just away. */
  readonly ready: boolean | null;
  /** uid and resourceVersion of the object that is nobody's: `before` as it was made, `now` as it is. */
  readonly stranger: { readonly before: string; readonly now: string };
}

export interface TargetSeen {
  readonly cluster: string;
  readonly wave: string;
  readonly state: string;
  readonly reason: string;
  readonly revision: string;
  /** null: it had nothing. */
  readonly previous: string | null;
  readonly started: boolean;
}

export interface RolloutSeen {
  readonly id: string;
  readonly release: ReleaseStep;
  readonly state: string;
  readonly message: string;
  /** The commit that was asked for. */
  readonly revision: string;
  readonly targets: readonly TargetSeen[];
}

/** A promise of Breakwater about writes, from its acknowledgement until somebody asks for more. Epoch ms. */
export interface Promised {
  readonly kind: 'freeze' | 'drain' | 'stop all' | 'abort';
  /** null: every rollout. */
  readonly rollout: string | null;
  readonly from: number;
  readonly to: number;
  /** Clusters that the acknowledgement named as unsettled: outside of the promise. */
  readonly unsettled: ReadonlySet<string>;
  /** Of a drain: clusters whose targets had started by then. */
  readonly started: ReadonlySet<string>;
}

/** One look at an unfinished rollout. Epoch ms. */
export interface Look {
  readonly at: number;
  readonly rollout: string;
  readonly state: string;
  readonly paused: string | null;
  /** Everything of it that changes when it gets on. */
  readonly progress: string;
  /** Revision, waves and sizes: never change. */
  readonly plan: string;
  readonly reasons: readonly string[];
  readonly next: string;
}

export interface TrailEvent {
  readonly sequence: number;
  readonly hash: string;
  /** What the hash has to be, by the event's content and the link before it. */
  readonly expectedHash: string;
}

/** Everything that is known of one episode when it has become quiet. */
export interface Evidence {
  readonly fleet: CampaignFleet;
  /** By version. */
  readonly releases: ReadonlyMap<string, ReleaseStep>;
  /** By commit. */
  readonly versions: ReadonlyMap<string, string>;
  /** Oldest first, with those of former episodes that something of this one can still concern. */
  readonly rollouts: readonly RolloutSeen[];
  /** Of this episode: ids. */
  readonly started: ReadonlySet<string>;
  /** In order of time within each cluster. */
  readonly landings: readonly Landing[];
  /** How each cluster's fence was before. */
  readonly fences: ReadonlyMap<string, FenceState>;
  readonly promises: readonly Promised[];
  readonly looks: readonly Look[];
  /** Clusters that were cut off, refused, hung, or had a write held. */
  readonly disturbed: ReadonlySet<string>;
  readonly programsOnly: boolean;
  readonly ends: ReadonlyMap<string, ClusterEnd>;
  /** The same after every held write has landed. */
  readonly endsAfterLateWrites: ReadonlyMap<string, ClusterEnd>;
  readonly trail: readonly TrailEvent[];
}

export interface Verdict {
  readonly rule: string;
  /** How often it was looked at: nought is no proof. */
  readonly judged: number;
  readonly broken: readonly Break[];
}

export interface Break {
  readonly what: string;
  readonly evidence: readonly string[];
}

export type Judge = (evidence: Evidence) => Verdict;

export const describeLanding = ({ cluster, receivedAt, landedAt, verb, object, version, fence }: Landing): string => {
  const time = (at: number): string => new Date(at).toISOString().slice(11, 23);
  const what =
    fence === null
      ? `version ${version ?? '–'}`
      : `${fence.rollout} epoch ${fence.epoch} ${fence.open ? 'open' : 'closed'}`;
  return `${time(receivedAt)}–${time(landedAt)} ${cluster}: ${verb} ${object}: ${what}`;
};
