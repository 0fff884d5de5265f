import { wakeRepository } from '@breakwater/application';
import { jest } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { FLEET_REPOSITORY } from './git-sync-program.ts';
import { ADMIN, application, cluster, configMap, FleetRepository, SyncUnderTest } from './sync-fixture.ts';

// Real Git and real renderers, on a machine that may have other things to do.
jest.setTimeout(60_000);

let repository: FleetRepository;
let under: SyncUnderTest;

beforeEach(async () => {
  repository = new FleetRepository();
  under = new SyncUnderTest(repository);
});

afterEach(async () => {
  await under.stop();
  repository.delete();
});

const names = (resources: readonly { readonly name: string }[]): readonly string[] => resources.map(({ name }) => name);

const eventually = async <T>(look: () => Promise<T>, done: (seen: T) => boolean): Promise<T> => {
  const deadline = Date.now() + 45_000;
  for (;;) {
    const seen = await look();
    if (done(seen) || Date.now() > deadline) return seen;
    await delay(20);
  }
};

describe('a commit', () => {
  it('becomes a snapshot in force, and a release of each application with a bundle for each cluster', async () => {
    await under.start();
    const synced = await under.sync();
    expect(synced).toMatchObject({
      state: 'Synced',
      errors: [],
      good: { commit: repository.git('rev-parse', 'HEAD') },
    });
    expect(names((await under.inForce()).clusters)).toEqual(['eu-1', 'eu-2', 'us-1', 'us-2']);
    const release = (await under.record.sync.newestRelease('web'))!;
    expect(release).toMatchObject({ state: 'Good', commit: synced.good?.commit });
    expect(Object.keys(release.bundles).sort()).toEqual(['eu-1', 'eu-2', 'us-1', 'us-2']);
    // Nothing in the source asks for the region, so that all of them share one bundle.
    expect(new Set(Object.values(release.bundles)).size).toBe(1);
  });

  it('renders with the values of region and application, so that regions have bundles of their own', async () => {
    repository.write('web/config.yaml', configMap('web', '${currency}')).commit();
    await under.start();
    await under.sync();
    const { bundles } = (await under.record.sync.newestRelease('web'))!;
    expect(bundles['eu-1']).toBe(bundles['eu-2']);
    expect(bundles['us-1']).toBe(bundles['us-2']);
    expect(bundles['eu-1']).not.toBe(bundles['us-1']);
  });

  it('that changes nothing an application renders to is a release of the same digest', async () => {
    await under.start();
    await under.sync();
    const before = (await under.record.sync.newestRelease('web'))!;
    const commit = repository.write('README.md', 'words').commit();
    await under.sync();
    expect(await under.record.sync.newestRelease('web')).toMatchObject({
      commit,
      digest: before.digest,
      state: 'Good',
    });
  });

  it('with a wrong Fleet keeps the last good one in force for everyone, and says where it is wrong', async () => {
    await under.start();
    const good = (await under.sync()).good;
    repository.write(
      'fleet.yaml',
      'apiVersion: breakwater.dev/v1alpha1\nkind: Fleet\nmetadata: { name: shop }\nspec: { clustres: { all: true } }\n',
    );
    repository.write('web/config.yaml', configMap('web', 'two')).commit();
    const synced = await under.sync();
    expect(synced).toMatchObject({ state: 'Invalid', good });
    expect(synced.errors).toContainEqual(
      expect.objectContaining({ file: 'fleet.yaml', line: 4, kind: 'Fleet', name: 'shop', blocks: 'snapshot' }),
    );
    expect(await under.record.sync.newestRelease('web')).toMatchObject({ commit: good?.commit });
    expect((await under.inForce()).fleets).toHaveLength(1);
  });

  it('with a source that does not render blocks that application alone', async () => {
    await under.start();
    const before = await under.sync();
    repository
      .write('web/config.yaml', configMap('web', '${nowhere}'))
      .write('api/config.yaml', configMap('api', 'two'));
    const commit = repository.commit();
    const synced = await under.sync();
    expect(synced).toMatchObject({ state: 'Invalid', good: { commit } });
    expect(synced.errors).toEqual([
      expect.objectContaining({ file: 'web/config.yaml', kind: 'Application', name: 'web', blocks: 'application/web' }),
    ]);
    expect(await under.record.sync.release('web', commit)).toMatchObject({ state: 'Invalid', bundles: {} });
    expect(await under.record.sync.newestRelease('web')).toMatchObject({ commit: before.good?.commit });
    expect(await under.record.sync.newestRelease('api')).toMatchObject({ commit, state: 'Good' });
    expect((await under.inForce()).blockedApplications).toEqual(['web']);
  });

  it('with one object in two applications blocks both, and names both', async () => {
    repository.write('api.yaml', application('api', '  namespaces: [web]\n'));
    repository.write(
      'api/config.yaml',
      configMap('api', 'one') + `---\n${configMap('web', 'mine').replace('name: web', 'name: web, namespace: web')}`,
    );
    repository.commit();
    await under.start();
    const synced = await under.sync();
    expect(synced.errors).toEqual([
      expect.objectContaining({
        name: 'api',
        message: expect.stringContaining('ConfigMap/web/web is also in application web'),
      }),
      expect.objectContaining({
        name: 'web',
        message: expect.stringContaining('ConfigMap/web/web is also in application api'),
      }),
    ]);
    expect(await under.record.sync.newestRelease('web')).toBeNull();
    expect(await under.record.sync.newestRelease('api')).toBeNull();
  });

  it('with binary files, links that leave the tree and a document that is too large is refused in words, and nothing else happens', async () => {
    await under.start();
    const good = (await under.sync()).good;
    repository
      .write('noise.yaml', Buffer.from([0xff, 0xfe, 0x00, 0x01, 0x80, 0x81]))
      .link('escape.yaml', '/etc/passwd');
    repository.write('large.yaml', `${cluster('eu-3')}# ${'x'.repeat(1_100_000)}\n`).commit();
    const synced = await under.sync();
    expect(synced).toMatchObject({ state: 'Invalid', good });
    expect(synced.errors).toEqual([expect.objectContaining({ file: 'large.yaml', reason: 'TooLarge' })]);
    repository.remove('large.yaml').commit();
    expect(await under.sync()).toMatchObject({ state: 'Synced', errors: [] });
  });
});

describe('a commit that is over a limit', () => {
  it.each([
    ['files', { files: 8 }, 'the repository has more than 8 files', 'TooLarge'],
    ['a fleet document', { documentBytes: 3_000 }, 'is larger than 3000 bytes', 'TooLarge'],
    ['depth', { depth: 8 }, 'is more than 8 levels deep', 'TooLarge'],
  ] as const)(
    'of %s is Invalid and observed, and keeps the last good one in force',
    async (what, limits, says, reason) => {
      await under.start(3_600_000, limits);
      const { good } = await under.sync();
      expect(good).not.toBeNull();
      const deep = what === 'depth' ? 'values: [[[[[[[[[1]]]]]]]]]' : `# ${'x'.repeat(3_500)}`;
      for (const name of ['b', 'c', 'd']) repository.write(`${name}.txt`, name);
      const commit = repository.write('more.yaml', `${cluster('eu-3').trim()}\n${deep}\n`).commit();
      const synced = await under.sync();
      expect(synced).toMatchObject({ state: 'Invalid', observed: { commit }, good });
      expect(synced.errors).toEqual([
        expect.objectContaining({ reason, message: expect.stringContaining(says), blocks: 'snapshot' }),
      ]);
      repository.remove('b.txt', 'c.txt', 'd.txt', 'more.yaml');
      repository.commit();
      expect(await under.sync()).toMatchObject({ state: 'Synced', errors: [] });
    },
  );

  it.each([
    ['source', { sourceBytes: 200 }],
    ['object', { objectBytes: 200 }],
  ] as const)('of an application (%s) blocks that application alone', async (_, limits) => {
    await under.start(3_600_000, limits);
    expect(await under.sync()).toMatchObject({ state: 'Synced' });
    repository.write('web/config.yaml', configMap('web', 'x'.repeat(300))).commit();
    const { errors } = await under.sync();
    expect(errors).toEqual([expect.objectContaining({ reason: 'TooLarge', blocks: 'application/web' })]);
  });

  it('by a tree that cannot be written to disk is Invalid and observed too', async () => {
    await under.start();
    const { good } = await under.sync();
    const commit = repository.write('web/a\\b', 'x').commit();
    expect(await under.sync()).toMatchObject({
      state: 'Invalid',
      observed: { commit },
      good,
      errors: [{ reason: 'HostileTree', blocks: 'snapshot' }],
    });
    expect((await under.inForce()).applications).toHaveLength(2);
  });
});

describe('a commit that takes much away', () => {
  it('deletes nothing: it is held, and what was in force stays in force', async () => {
    await under.start();
    const good = (await under.sync()).good;
    repository.remove('clusters.yaml', 'fleet.yaml', 'web.yaml', 'api.yaml').commit();
    const held = await under.sync();
    expect(held).toMatchObject({ state: 'Held', good });
    expect(held.message).toContain('4 of 4 clusters would go away');
    expect(names((await under.inForce()).applications)).toEqual(['api', 'web']);
    expect(await under.record.sync.newestRelease('web')).toMatchObject({ commit: good?.commit });
  });

  it('is in force once a person has approved it, and stays so', async () => {
    await under.start();
    await under.sync();
    const commit = repository.write('clusters.yaml', cluster('eu-1') + '---\n' + cluster('us-1')).commit();
    expect(await under.sync()).toMatchObject({ state: 'Held' });
    const approved = await under.fleet.approveRepository(FLEET_REPOSITORY, {}, ADMIN);
    expect(approved).toMatchObject({ state: 'Synced', good: { commit } });
    expect(names((await under.inForce()).clusters)).toEqual(['eu-1', 'us-1']);
    expect(await under.sync()).toMatchObject({ state: 'Synced', good: { commit } });
    expect(await under.events('repository.approve')).toHaveLength(1);
  });

  it('is not approved by an approval of another commit', async () => {
    await under.start();
    await under.sync();
    repository.write('clusters.yaml', cluster('eu-1') + '---\n' + cluster('us-1')).commit();
    await under.sync();
    repository.write('README.md', 'words').commit();
    await expect(under.fleet.approveRepository(FLEET_REPOSITORY, {}, ADMIN)).rejects.toMatchObject({
      code: 'CommitMoved',
    });
    expect(await under.record.sync.repository(FLEET_REPOSITORY)).toMatchObject({ state: 'Held' });
    expect((await under.inForce()).clusters).toHaveLength(4);
  });

  it('cannot be approved when nothing is held', async () => {
    await under.start();
    await under.sync();
    await expect(under.fleet.approveRepository(FLEET_REPOSITORY, {}, ADMIN)).rejects.toMatchObject({
      code: 'StateForbids',
    });
    await expect(under.fleet.approveRepository('nowhere', {}, ADMIN)).rejects.toMatchObject({
      code: 'RepositoryNotFound',
    });
  });
});

describe('a repository', () => {
  it('that disappears is Unreachable, what is in force stays, and it goes on when it is back', async () => {
    await under.start();
    const before = await under.sync();
    const putBack = repository.vanish();
    const gone = await under.sync();
    expect(gone).toMatchObject({
      state: 'Unreachable',
      observed: before.observed && { commit: before.observed.commit },
      good: before.good,
    });
    expect(gone.message).toContain('everything in force stays as it is');
    expect((await under.inForce()).applications).toHaveLength(2);
    putBack();
    expect(await under.sync()).toMatchObject({ state: 'Synced', errors: [], good: before.good });
  });

  it('whose branch was forced back keeps the commit that it dropped, so that it can still be rolled out', async () => {
    await under.start();
    await under.sync();
    const dropped = repository.write('web/config.yaml', configMap('web', 'two')).commit();
    await under.sync();
    repository.git('reset', '--quiet', '--hard', 'HEAD~1');
    const now = repository.write('web/config.yaml', configMap('web', 'three')).commit();
    repository.git('reflog', 'expire', '--expire=now', '--all');
    repository.git('gc', '--quiet', '--prune=now');
    expect(await under.sync()).toMatchObject({ state: 'Synced', good: { commit: now } });
    expect(await under.release('web', dropped)).toMatchObject({ ok: true, commit: dropped });
  });

  it('is looked at when a webhook says so, long before the next poll', async () => {
    const sync = await under.start();
    await sync.firstSyncTried;
    const commit = repository.write('web/config.yaml', configMap('web', 'two')).commit();
    await wakeRepository(under.record, FLEET_REPOSITORY);
    const seen = await eventually(
      () => under.record.sync.repository(FLEET_REPOSITORY),
      (now) => now?.good?.commit === commit,
    );
    expect(seen).toMatchObject({ state: 'Synced', good: { commit } });
  });

  it('is followed by one worker at a time, and by the next one when that stops', async () => {
    const first = await under.start(50);
    await first.firstSyncTried;
    const second = await under.start(50);
    await second.firstSyncTried;
    expect(await under.record.sync.lease(`git-sync/${FLEET_REPOSITORY}`, second.name, 1_000)).toBe(false);
    await first.stop();
    const commit = repository.write('web/config.yaml', configMap('web', 'two')).commit();
    expect(await under.sync()).toMatchObject({ good: { commit } });
  });
});

describe('a chart', () => {
  it('is told of the API versions that its application names, on every cluster alike', async () => {
    const withVersions = (list: string): string =>
      application('web').replace(
        'source: { path: web, substitute: true }',
        `source: { path: web, helm: { apiVersions: ${list} } }`,
      );
    repository.remove('web/config.yaml');
    repository.write('web/Chart.yaml', 'apiVersion: v2\nname: web\nversion: 0.1.0\n');
    repository.write(
      'web/templates/a.yaml',
      configMap('web', '"{{ .Capabilities.APIVersions.Has "example.org/v1" }} {{ .Release.IsInstall }}"'),
    );
    repository.write('web.yaml', withVersions('[]')).commit();
    await under.start();
    await under.sync();
    const without = await under.data('web');
    repository.write('web.yaml', withVersions('[example.org/v1]')).commit();
    await under.sync();
    expect([without, await under.data('web')]).toEqual(['false true', 'true true']);
  });
});

describe('a revision that is asked for', () => {
  beforeEach(async () => {
    await under.start();
    await under.sync();
  });

  it('is found by tag, branch or commit, fetched when it is new, and rendered for the clusters of today', async () => {
    repository.git('checkout', '--quiet', '-b', 'feature');
    const commit = repository.write('web/config.yaml', configMap('web', 'feature')).commit();
    repository.git('tag', 'v1');
    repository.git('checkout', '--quiet', 'main');
    repository.write('clusters.yaml', ['eu-1', 'eu-2', 'us-1', 'us-2', 'us-3'].map(cluster).join('---\n')).commit();
    await under.sync();
    for (const revision of ['v1', 'feature', commit, commit.slice(0, 10)]) {
      expect(await under.release('web', revision)).toMatchObject({ ok: true, commit });
    }
    const release = (await under.record.sync.release('web', commit))!;
    expect(Object.keys(release.bundles)).toContain('us-3');
  });

  it('that nobody knows is RevisionNotFound, and looks at the remote first', async () => {
    expect(await under.release('web', 'v9')).toMatchObject({ ok: false, code: 'RevisionNotFound' });
    expect(await under.release('web', '0'.repeat(40))).toMatchObject({ ok: false, code: 'RevisionNotFound' });
    expect(await under.release('web', '--upload-pack=touch')).toMatchObject({ ok: false, code: 'RevisionNotFound' });
    expect(await under.release('nothing', 'main')).toMatchObject({ ok: false, code: 'ApplicationNotFound' });
  });

  it('with errors is refused with the errors', async () => {
    const commit = repository.write('web/config.yaml', 'kind: ConfigMap\n').commit();
    await under.sync();
    const answer = await under.release('web', commit);
    expect(answer).toMatchObject({ ok: false, code: 'RevisionInvalid', commit });
    expect(answer.errors).toEqual([expect.objectContaining({ file: 'web/config.yaml' })]);
    expect(await under.release('api', commit)).toMatchObject({ ok: true });
  });
});

describe('an application with an error in its document', () => {
  let before: string;
  let broken: string;

  beforeEach(async () => {
    before = repository.git('rev-parse', 'HEAD');
    broken = repository.write('web.yaml', application('web', '  triger: onCommit\n')).commit();
    await under.start();
  });

  it('is started at its newest good release, and refused with the errors where these are asked for', async () => {
    repository.git('reset', '--quiet', '--hard', before);
    await under.sync();
    repository.git('reset', '--quiet', '--hard', broken);
    expect(await under.sync()).toMatchObject({ state: 'Invalid', good: { commit: broken } });
    const { rollout } = await under.commands.start({ application: 'web' }, ADMIN);
    expect(rollout).toMatchObject({ fleet: 'shop', revision: { commit: before }, plan: { strategy: 'careful' } });
    await expect(under.commands.start({ application: 'web', revision: broken }, ADMIN)).rejects.toMatchObject({
      code: 'RevisionInvalid',
      details: { errors: [{ file: 'web.yaml', field: 'spec.triger' }] },
    });
  });

  it('is rendered at an older revision that says itself where it goes', async () => {
    await under.sync();
    await expect(under.commands.start({ application: 'web' }, ADMIN)).rejects.toMatchObject({
      code: 'ApplicationInvalid',
      details: { errors: [{ file: 'web.yaml', field: 'spec.triger' }] },
    });
    const { rollout } = await under.commands.start({ application: 'web', revision: before }, ADMIN);
    expect(rollout).toMatchObject({ fleet: 'shop', revision: { commit: before } });
  });
});

describe('an application that is started by commits', () => {
  beforeEach(async () => {
    repository.write('web.yaml', application('web', '  trigger: onCommit\n')).commit();
  });

  const rollouts = async () => (await under.record.rollouts.list({ limit: 100 })).items;

  it('starts once for each commit that changes what it renders to, also when the sync is started again', async () => {
    const first = await under.start();
    await under.sync();
    expect(await eventually(rollouts, (all) => all.length === 1)).toHaveLength(1);
    await first.stop();
    await under.start();
    await under.sync();
    repository.write('README.md', 'words').commit();
    await under.sync();
    repository.write('api/config.yaml', configMap('api', 'two')).commit();
    await under.sync();
    const commit = repository.write('web/config.yaml', configMap('web', 'two')).commit();
    await under.sync();
    const all = await eventually(rollouts, (seen) => seen.length >= 2);
    expect(all.map((rollout) => rollout.revision.commit)).toContain(commit);
    expect(all).toHaveLength(2);
    expect(all.every(({ createdBy }) => createdBy === 'git')).toBe(true);
  });

  it('does not start content that was rolled back before, under whatever commit it comes again', async () => {
    await under.start();
    await under.sync();
    await eventually(rollouts, (all) => all.length === 1);
    const bad = repository.write('web/config.yaml', configMap('web', 'bad')).commit();
    await under.sync();
    await eventually(rollouts, (all) => all.length === 2);
    await under.record.transaction((tx) => tx.setReleaseState('web', bad, 'Bad', 'rolled back'));
    repository.write('web/config.yaml', configMap('web', 'good')).commit();
    await under.sync();
    await eventually(rollouts, (all) => all.length === 3);
    const again = repository.write('web/config.yaml', configMap('web', 'bad')).commit();
    await under.sync();
    expect(await under.record.sync.release('web', again)).toMatchObject({ state: 'Bad', reason: 'rolled back' });
    expect(await rollouts()).toHaveLength(3);
  });
});
