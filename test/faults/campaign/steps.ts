export const PROGRAM_FAULTS = [
  'kill a worker',
  'kill the api',
  'kill git-sync',
  'stand a worker still',
  'empty Redis',
  'lose wake-ups',
  'restart PostgreSQL',
] as const;
/** On a cluster, real or simulated. */
export const CLUSTER_FAULTS = ['cut off', 'refuse', 'lose answers', 'hold a write'] as const;
/** On a real one only. */
export const SERVER_FAULTS = ['freeze an API server', 'kill an API server'] as const;
/** What people do in the middle of a rollout. */
export const DEEDS = ['freeze', 'drain', 'stop all', 'abort', 'rollback'] as const;
export const RELEASES = ['good', 'bad', 'fewer objects', 'superseding', 'regressing', 'with a claim'] as const;

export type FaultKind =
  (typeof PROGRAM_FAULTS)[number] | (typeof CLUSTER_FAULTS)[number] | (typeof SERVER_FAULTS)[number];
export type DeedKind = (typeof DEEDS)[number];
export type ReleaseKind = (typeof RELEASES)[number];

/** A commit and the start of its rollout. */
export interface ReleaseStep {
  readonly type: 'release';
  /** From the episode's start, in ms; so in every step. */
  readonly atMs: number;
  readonly kind: ReleaseKind;
  readonly version: string;
  /** Clusters on which it does not become, or stay, healthy. */
  readonly brokenOn: readonly string[];
  readonly behaviour: 'broken' | 'degrades-3s';
  readonly settings: number;
  readonly claim: boolean;
  readonly supersede: boolean;
  /** Not before a server holds a write that a worker has sent. */
  readonly onceHeld: boolean;
}

export interface FaultStep {
  readonly type: 'fault';
  readonly atMs: number;
  readonly kind: FaultKind;
  /** `worker-1`, `api`, `git-sync`, `redis`, `postgres`, or a cluster. */
  readonly subject: string;
  /** Until it is mended; null: until the episode's quiet end. */
  readonly forMs: number | null;
}

export interface DeedStep {
  readonly type: 'deed';
  /** From the start of the episode's first rollout, or from the held write. */
  readonly atMs: number;
  readonly kind: DeedKind;
  /** Until the resume. */
  readonly forMs: number;
  /** Not before a server holds a write that a worker has sent. */
  readonly onceHeld: boolean;
}

export type Step = ReleaseStep | FaultStep | DeedStep;

/** One line for whoever reads along. */
export const describeStep = (step: Step): string => {
  switch (step.type) {
    case 'release': {
      const where = step.brokenOn.length > 0 ? ` (${step.behaviour} on ${step.brokenOn.join(', ')})` : '';
      return `release ${step.version}, ${step.kind}${where}${onceHeld(step)}`;
    }
    case 'deed':
      return `${step.kind}${['abort', 'rollback'].includes(step.kind) ? '' : ` for ${seconds(step.forMs)}`}${onceHeld(step)}`;
    case 'fault': {
      if (step.forMs === 0) return step.kind;
      const length = step.forMs === null ? 'until the end' : `for ${seconds(step.forMs)}`;
      return `${step.kind}: ${step.subject} ${length}`;
    }
  }
};

const onceHeld = (step: ReleaseStep | DeedStep): string => (step.onceHeld ? ', after a write was held' : '');

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
