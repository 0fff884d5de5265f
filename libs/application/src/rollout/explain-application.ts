import { isTerminal, type Rollout } from '@breakwater/domain';
import type { RecordPort, ReleaseRecord } from '../ports/record.port.ts';
import { newestFleet } from '../releases/newest-fleet.ts';
import { type Explanation, UseCaseError } from '../use-cases.ts';
import { type Answer, plain } from './plain-answer.ts';

/**
 * Why an application is not at what Git has, or that it is: its newest rollout where that one is under way or owes something, otherwise
 * what keeps the next one from starting. `explainRollout`: of a rollout of it.
 */
export const explainApplicationState = async (
  record: RecordPort,
  name: string,
  explainRollout: (rollout: Rollout) => Promise<Explanation>,
): Promise<Explanation> => {
  const [fleet, rollout, release] = await Promise.all([
    newestFleet(record),
    record.rollouts.newestOf(name),
    record.sync.newestRelease(name),
  ]);
  const origin = fleet.repositoryOf.get(name);
  if (origin === undefined && rollout === null)
    throw new UseCaseError('NotFound', 'ApplicationNotFound', `there is no application ${name}`);
  const answer =
    (rollout === null ? null : await byRollout(rollout, explainRollout)) ??
    (origin === undefined ? removed(name, rollout) : null) ??
    (fleet.blockedApplications.includes(name) && origin !== undefined
      ? await byErrors(record, name, origin.repository)
      : null) ??
    byRelease(name, release, rollout);
  return { subject: `application/${name}`, ...answer };
};

/** Null: it has ended, and owes nothing. */
const byRollout = async (
  rollout: Rollout,
  explainRollout: (rollout: Rollout) => Promise<Explanation>,
): Promise<Answer | null> => {
  const { subject, ...explained } = await explainRollout(rollout);
  if (isTerminal(rollout) && explained.blockers.length === 0) return null;
  return { ...explained, summary: `${subject}: ${explained.summary}` };
};

const removed = (name: string, rollout: Rollout | null): Answer =>
  plain(
    `Removed: ${name} is in Git no more, and stays where it runs${rollout === null ? '' : ` (newest rollout: ${standing(rollout)})`}`,
    'nothing, until somebody removes it or brings it back to Git',
  );

interface Located {
  readonly file?: string;
  readonly line?: number | null;
  readonly message?: string;
  readonly remedy?: string;
  readonly blocks?: string;
}

const byErrors = async (record: RecordPort, name: string, repository: string): Promise<Answer> => {
  const known = await record.sync.repository(repository);
  const errors = (known?.errors ?? []) as readonly Located[];
  const own = errors.filter(({ blocks }) => blocks === `application/${name}`);
  const [first] = own;
  if (first === undefined) return plain(`Invalid: ${name} has errors in Git`, 'a commit that mends them');
  const place = first.line == null ? (first.file ?? '') : `${first.file}:${first.line}`;
  const more = own.length > 1 ? ` (and ${own.length - 1} more: breakwater repository get ${repository})` : '';
  const mend = first.remedy === undefined || first.remedy === '' ? '' : `: ${first.remedy}`;
  return plain(`Invalid: ${place}: ${first.message}${more}`, `a commit that mends it${mend}`);
};

const byRelease = (name: string, release: ReleaseRecord | null, rollout: Rollout | null): Answer => {
  if (release === null)
    return plain(`no release of ${name} was rendered yet`, 'its next commit, or the next look at Git');
  const commit = release.commit.slice(0, 12);
  const start = `breakwater rollout start ${name}`;
  if (release.state === 'Bad')
    return plain(
      `Git is ahead: release ${commit} is Bad, it was rolled back: ${release.reason}`,
      `a commit that is better, or somebody who starts it all the same: ${start} --allow-bad`,
    );
  if (release.state === 'Invalid')
    return plain(`Git is ahead: release ${commit} cannot be rendered`, 'a commit that mends it');
  if (rollout === null) return plain(`release ${commit} was never started`, `somebody starts it: ${start}`);
  if (rollout.revision.digest !== release.digest)
    return plain(
      `Git is ahead: release ${commit} was not started; newest rollout: ${standing(rollout)}`,
      `somebody starts it: ${start}`,
    );
  return plain(`at release ${commit}, the newest: ${standing(rollout)}`, 'the next commit');
};

const standing = ({ id, state, message }: Rollout): string => `${id}, ${state}: ${message}`;
