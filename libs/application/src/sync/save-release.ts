import { canonicalJson } from '@breakwater/domain';
import { createHash } from 'node:crypto';
import type { AuditEvent, RecordPort, ReleaseRecord } from '../ports/record.port.ts';
import { BundleMissing } from '../releases/bundle-store.ts';
import { releaseSpecOf } from '../releases/release-spec.ts';
import type { RenderedApplication } from './render-application.ts';
import type { SyncError } from './sync-error.ts';

/** `sha256:<hex>` over the sorted pairs of cluster and bundle digest. */
export const releaseDigest = (bundles: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(bundles).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `sha256:${createHash('sha256').update(canonicalJson(pairs)).digest('hex')}`;
};

const RELEASES_LOOKED_AT = 100;

export interface SavedRelease {
  readonly release: ReleaseRecord;
  /** What this release renders to is not what the one before it did. */
  readonly changed: boolean;
}

/** Records what an application is at a commit. The same content as a release that was rolled back is bad under any commit. */
export const saveRelease = async (
  record: RecordPort,
  rendered: RenderedApplication,
  repository: string,
  commit: string,
  errors: readonly SyncError[],
): Promise<SavedRelease> => {
  const application = rendered.application.name;
  const invalid = errors.length > 0;
  const bundles = invalid ? {} : rendered.bundles;
  const digest = releaseDigest(bundles);
  const known = await record.sync.release(application, commit);
  const { items } = await record.sync.releases({ application, limit: RELEASES_LOOKED_AT });
  const older = items.filter(
    (release) => release.commit !== commit && release.sequence < (known?.sequence ?? Infinity),
  );
  const bad = invalid ? undefined : older.find((release) => release.state === 'Bad' && release.digest === digest);
  const release = await record.sync.saveRelease(
    {
      application,
      commit,
      digest,
      bundles,
      spec: releaseSpecOf(rendered.application),
      state: invalid ? 'Invalid' : (bad?.state ?? 'Good'),
      reason: invalid ? (errors[0]?.message ?? 'Invalid') : (bad?.reason ?? ''),
      errors,
    },
    known !== null && known.digest === digest && (known.state === 'Invalid') === invalid
      ? []
      : [releaseEvent(application, repository, commit, digest, errors.length)],
  );
  // Looked at once the release refers to them: what was collected before that is put again by the next pass.
  const stored = await record.sync.hasBundles([...new Set(Object.values(bundles))]);
  const lost = Object.values(bundles).find((bundle) => !stored.has(bundle));
  if (lost !== undefined) throw new BundleMissing(`bundle ${lost} was collected while ${application} was rendered`);
  const before = older.find(({ state }) => state !== 'Invalid');
  return { release, changed: before === undefined || before.digest !== digest };
};

const releaseEvent = (
  application: string,
  repository: string,
  commit: string,
  digest: string,
  errors: number,
): AuditEvent => ({
  type: errors > 0 ? 'release.invalid' : 'release.created',
  actor: 'breakwater',
  reason: errors > 0 ? 'Invalid' : 'Rendered',
  message:
    errors > 0
      ? `${application} at ${commit.slice(0, 12)} has ${errors} errors`
      : `${application} at ${commit.slice(0, 12)}`,
  application,
  repository,
  data: errors > 0 ? { commit, errors } : { commit, digest },
});
