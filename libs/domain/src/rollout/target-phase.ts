/**
 * The part of its work that a target in flight is in: `gates` are those beside its workloads, `finalize` prunes what the new revision no
 * longer has.
 */
export type TargetPhase = 'apply' | 'verify' | 'gates' | 'finalize';
