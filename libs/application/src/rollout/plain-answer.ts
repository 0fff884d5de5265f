import type { Explanation } from '../use-cases.ts';

/** An explanation, whatever it is about. */
export type Answer = Omit<Explanation, 'subject'>;

/** Where no rollout holds anything: why, and what would have to happen. */
export const plain = (summary: string, next: string): Answer => ({
  summary,
  blockers: [],
  next,
  notes: [],
  whatIf: [],
  expectedEnd: null,
});
