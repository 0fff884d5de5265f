import { type FreezeWindow, isTerminal, mayOverride, type Rollout } from '@breakwater/domain';
import type { RecordTransaction } from '../ports/record.port.ts';
import { type Actor, UseCaseError, type WindowInput } from '../use-cases.ts';
import { type CommandParts, commandRollout } from './command-rollout.ts';

const windowNamed = async (tx: RecordTransaction, name: string): Promise<FreezeWindow> => {
  const windows = (await tx.fleetModels()).flatMap((model) => model.freezeWindows);
  const window = windows.find((candidate) => candidate.name === name);
  if (window !== undefined) return window;
  const known = windows.map((candidate) => candidate.name).join(', ') || 'none';
  throw new UseCaseError('NotFound', 'WindowNotFound', `there is no freeze window ${name}; there is ${known}`);
};

/** Break-glass: the rollout does not mind this freeze window, where the window's own document lets the person say so. */
export const overrideWindow = async (
  parts: CommandParts,
  id: string,
  { window: name, reason }: WindowInput,
  actor: Actor,
): Promise<Rollout> => {
  if (reason.trim() === '')
    throw new UseCaseError('Invalid', 'ReasonNeeded', 'say why: an override sets aside what was frozen');
  return commandRollout(parts, id, {
    verb: 'override-window',
    actor,
    reason,
    decide: async (tx, rollout, now) => {
      if (isTerminal(rollout)) return { forbidden: `a rollout that is ${rollout.state} minds no window any more` };
      const { override } = await windowNamed(tx, name);
      if (!mayOverride(override, { name: actor.name, role: actor.role ?? '' }))
        return {
          code: 'WindowForbids',
          forbidden: `freeze window ${name} does not let ${actor.name} override it; its override field says who may`,
        };
      const window = `FreezeWindow/${name}`;
      if (rollout.windowOverrides.some((known) => known.window === window)) return { rollout };
      const made = { window, by: actor.name, reason, at: now };
      await tx.reopenTargets(rollout.id);
      return { rollout: { ...rollout, windowOverrides: [...rollout.windowOverrides, made] } };
    },
  });
};
