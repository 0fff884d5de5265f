export interface Collected {
  /** Releases that are forgotten. */
  readonly releases: number;
  /** Bundles that are gone. */
  readonly bundles: number;
  /** Commits that no release names any more, and that nothing else in the record names: Git need not keep them. */
  readonly commits: readonly string[];
}

/**
 * Forgets what nobody can ask for again. Never what a cluster runs, has as its last known good, or is owed; what is proven; what an
 * unfinished rollout or one of the newest of an application names; what was rolled back; nor the commit in force.
 */
export interface RetentionRecords {
  /**
   * Of each application the newest `keep` releases stay, and as many invalid ones. Bundles go only once they were found
   * unreferenced twice, at least `graceMs` apart: somebody may be about to use one.
   */
  collect(keep: number, graceMs: number): Promise<Collected>;
  close(): Promise<void>;
}
