import type { RollbackInput } from '../use-cases.ts';
import { scopeOf } from './rollback-scope.ts';

it.each<[RollbackInput, string]>([
  [{}, 'rollout'],
  [{ wave: 'rest' }, 'wave'],
  [{ scope: 'wave' }, 'wave'],
  [{ cluster: 'eu-west-1a' }, 'cluster'],
  [{ region: 'eu-west' }, 'cluster'],
  [{ scope: 'cluster', region: 'eu-west' }, 'cluster'],
])('%j is scope %s', (input, scope) => expect(scopeOf(input)).toBe(scope));

it.each<[RollbackInput, string, RegExp]>([
  [{ scope: 'cluster' }, 'NothingNamed', /Name a cluster or a region/],
  [{ scope: 'rollout', cluster: 'eu-west-1a' }, 'ScopeContradicts', /scope cluster, or name no cluster/],
  [{ scope: 'wave', region: 'eu-west' }, 'ScopeContradicts', /scope cluster, or name no region/],
  [{ scope: 'rollout', wave: 'rest' }, 'ScopeContradicts', /scope wave, or name no wave/],
  [{ cluster: 'eu-west-1a', wave: 'rest' }, 'ScopeContradicts', /scope wave, or name no wave/],
  [{ cluster: 'eu-west-1a', region: 'eu-west' }, 'ScopeContradicts', /the one or the other/],
])('%j is refused with %s, and says what would be right', (input, code, remedy) =>
  expect(() => scopeOf(input)).toThrow(
    expect.objectContaining({ category: 'Invalid', code, details: { remedy: expect.stringMatching(remedy) } }),
  ),
);
