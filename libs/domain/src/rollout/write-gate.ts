import { inNewRound } from './look-round.ts';
import type { Rollout } from './rollout.ts';

/**
 * Which writes the rollout's state allows. The flags follow from state and pause alone; whenever they change, the generation grows, and
 * with it every permit of the generation before ends (rules 3 and 4). Nobody looks behind a closed gate, so what was seen before it closed shows
 * nothing when it opens again (rule 5).
 */
export const withGate = (rollout: Rollout): Rollout => {
  const frozen = rollout.paused?.mode === 'freeze';
  const forward = !frozen && rollout.state === 'Progressing';
  const backward = !frozen && (rollout.state === 'Progressing' || rollout.state === 'RollingBack');
  if (forward === rollout.gate.forward && backward === rollout.gate.backward) return rollout;
  const opens = (forward && !rollout.gate.forward) || (backward && !rollout.gate.backward);
  const gate = { generation: rollout.gate.generation + 1, forward, backward };
  return { ...(opens ? inNewRound(rollout) : rollout), gate };
};
