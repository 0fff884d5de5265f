import type { RollbackScope } from '@breakwater/domain';
import { type RollbackInput, UseCaseError } from '../use-cases.ts';

const contradicts = (message: string, remedy: string): UseCaseError =>
  new UseCaseError('Invalid', 'ScopeContradicts', message, { remedy });

/**
 * How much is asked for: what is named says it where the scope does not.
 * @throws {UseCaseError} where the two do not fit: guessing would take back more than somebody wanted, or less
 */
export const scopeOf = ({ scope, cluster, region, wave }: RollbackInput): RollbackScope => {
  const place = cluster !== undefined || region !== undefined;
  const meant = scope ?? (place ? 'cluster' : wave !== undefined ? 'wave' : 'rollout');
  if (cluster !== undefined && region !== undefined)
    throw contradicts('a cluster and a region are both named', 'Name the one or the other.');
  if (meant === 'cluster' && !place)
    throw new UseCaseError('Invalid', 'NothingNamed', 'scope cluster takes back what is named, and nothing is', {
      remedy: 'Name a cluster or a region, or ask for the scope wave or rollout.',
    });
  if (meant !== 'cluster' && place)
    throw contradicts(
      `scope ${meant} takes back more than the ${cluster === undefined ? 'region' : 'cluster'} that is named`,
      `Ask for the scope cluster, or name no ${cluster === undefined ? 'region' : 'cluster'}.`,
    );
  if (meant !== 'wave' && wave !== undefined)
    throw contradicts(`scope ${meant} takes no wave`, 'Ask for the scope wave, or name no wave.');
  return meant;
};
