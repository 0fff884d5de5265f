/** How simulated workloads get on; all in milliseconds. */
export interface WorkloadSettings {
  /** From the creation of a pod until it is ready, or until what is wrong with it shows. */
  readonly podReadyMs: number;
  /** From the deletion of a pod until it is gone. */
  readonly podGoneMs: number;
  /** How long a pod whose image says `degrades` stays ready. */
  readonly degradeAfterMs: number;
  /** From the start of a Job's pod to its end. */
  readonly jobMs: number;
}

export function workloadSettings(given: Partial<WorkloadSettings>): WorkloadSettings {
  return { podReadyMs: 0, podGoneMs: 0, degradeAfterMs: 2_000, jobMs: 0, ...given };
}
