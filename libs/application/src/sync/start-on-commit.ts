import type { RecordPort } from '../ports/record.port.ts';
import { type RolloutCommands, UseCaseError } from '../use-cases.ts';
import type { WorkerLog } from '../worker/periodic.ts';

const GIT = { name: 'git' };

/**
 * Starts the rollouts that a commit asks for. Once for each commit, whatever is restarted when; what may not start is audited, and
 * nothing else hangs on it.
 */
export const startOnCommit = async (
  parts: { readonly record: RecordPort; readonly commands: RolloutCommands; readonly log: WorkerLog },
  applications: readonly string[],
  commit: string,
): Promise<void> => {
  for (const application of applications) {
    const idempotencyKey = `oncommit/${application}/${commit}`;
    try {
      const { rollout, fresh } = await parts.commands.start(
        { application, revision: commit, reason: 'onCommit', triggered: true, idempotencyKey },
        GIT,
      );
      if (fresh) parts.log.info({ application, commit, rollout: rollout.id }, 'rollout started by a commit');
    } catch (error) {
      if (!(error instanceof UseCaseError)) {
        parts.log.error({ application, commit, err: error }, 'a commit could not start its rollout');
        continue;
      }
      await parts.record.audit.append([
        {
          type: 'application.not-started',
          actor: GIT.name,
          reason: error.code,
          message: error.message,
          application,
          data: { commit },
        },
      ]);
    }
  }
};
