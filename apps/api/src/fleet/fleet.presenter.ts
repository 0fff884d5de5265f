import type { ReleaseRecord, RepositoryRecord } from '@breakwater/application';
import { scrub } from '@breakwater/platform';
import type { Fleet, Strategy } from '@breakwater/domain';
import type { WireDocumentError, WireFleet, WireRelease, WireRepository, WireStrategy } from '@breakwater/platform';
import { iso } from '../rollouts/rollout.presenter.ts';
import type { Sourced } from './fleet-catalog.ts';

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const whole = (value: unknown): number | null => (Number.isInteger(value) ? (value as number) : null);

export const presentDocumentError = (error: unknown): WireDocumentError => {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return {
    file: text(fields['file']) ?? '',
    line: whole(fields['line']),
    column: whole(fields['column']),
    kind: text(fields['kind']),
    name: text(fields['name']),
    field: text(fields['field']),
    message: text(fields['message']) ?? 'unknown error',
    remedy: text(fields['remedy']) ?? '',
    blocks: text(fields['blocks']) ?? 'snapshot',
  };
};

const commitAt = (value: RepositoryRecord['good']): WireRepository['good'] =>
  value === null ? null : { commit: value.commit, at: iso(value.at) };

export const presentRepository = (repository: RepositoryRecord): WireRepository => ({
  name: repository.name,
  url: scrub(repository.url),
  ref: repository.ref,
  state: repository.state,
  message: scrub(repository.message),
  observed: commitAt(repository.observed),
  good: commitAt(repository.good),
  errors: repository.errors.map(presentDocumentError),
});

export const presentRelease = (release: ReleaseRecord): WireRelease => ({
  application: release.application,
  revision: { commit: release.commit, digest: release.digest },
  state: release.state,
  reason: release.reason,
  clusters: Object.keys(release.bundles).length,
  errors: release.errors.map(presentDocumentError),
  createdAt: iso(release.createdAt),
});

/** A document as Breakwater read it, without its name and without values, which are the applications' own business. */
export const specOf = (document: { readonly kind: string; readonly name: string }): Record<string, unknown> => {
  const { kind: _kind, name: _name, ...spec } = document;
  const isValues = (key: string, value: unknown) =>
    key === 'values' && typeof value === 'object' && !Array.isArray(value);
  return JSON.parse(
    JSON.stringify(spec, (key, value: unknown) => (isValues(key, value) ? undefined : value)),
  ) as Record<string, unknown>;
};

export const presentFleet = ({
  document,
  repository,
  commit,
  members,
}: Sourced<Fleet> & { readonly members: readonly string[] }): WireFleet => ({
  name: document.name,
  repository,
  commit,
  strategy: document.strategy,
  clusters: [...members],
  spec: specOf(document),
});

export const presentStrategy = ({ document, repository, commit }: Sourced<Strategy>): WireStrategy => ({
  name: document.name,
  repository,
  commit,
  spec: specOf(document),
});
