import { addGate, wrongRelease } from './wrong-release.ts';
import { type Cast, GOOD, readAll, readThese, said, settled, syncTo, wavesOf } from './cast.ts';
import type { ExampleRepository } from './example-repository.ts';
import { APPLICATION, type StageCluster } from './stage.ts';
import {
  type ClusterState,
  type Finding,
  inWaveOrder,
  neverWritten,
  objectWrites,
  runsImage,
  sameObjects,
} from './verdict.ts';
import { watchRollout } from './watch-rollout.ts';

const BAD = '2.2.0';

/** Tells the whole story; what the clusters themselves say about it is returned. */
export const tellStory = async (cast: Cast): Promise<readonly Finding[]> => {
  const good = await goodRelease(cast);
  await addGate(cast);
  const bad = await badRelease(cast, good.state);
  return [...good.findings, ...bad, ...(await wrongRelease(cast, good.state))];
};

const goodRelease = async (
  cast: Cast,
): Promise<{ readonly findings: readonly Finding[]; readonly state: ReadonlyMap<string, ClusterState> }> => {
  const { teller, repository, breakwater, stage, pace } = cast;
  teller.heading(`A good release: ${APPLICATION} ${GOOD}`);
  await repository.edit('apps/podinfo/deployment.yaml', (text) => text.replace('podinfo:2.0.0', `podinfo:${GOOD}`));
  const commit = await repository.commit(`${APPLICATION} ${GOOD}`);
  teller.event(`a developer commits ${teller.paint('cyan', commit.slice(0, 12))} “${APPLICATION} ${GOOD}”`);
  await syncTo(cast, commit);
  const since = Date.now();
  const { id } = await breakwater.start(APPLICATION, `the demo's good release`);
  const rollout = await watchRollout(teller, breakwater, id, { timeoutMs: pace.rolloutMs });
  const state = await readAll(stage);
  return {
    state,
    findings: [
      said('Breakwater says that the good release succeeded', rollout.state, 'Succeeded'),
      runsImage(state, `:${GOOD}`, `${APPLICATION} ${GOOD} runs on all ${state.size} clusters, and is ready`),
      await inWaveOrder(
        wavesOf(cast),
        since,
        'it was written to the canary region first, then low-risk, then the rest',
      ),
    ],
  };
};

const badRelease = async (cast: Cast, before: ReadonlyMap<string, ClusterState>): Promise<readonly Finding[]> => {
  const { teller, repository, breakwater, stage, pace } = cast;
  teller.heading(`A bad release: ${APPLICATION} ${BAD}, with an image that eu-west cannot pull`);
  const commit = await commitBadRelease(repository);
  teller.event(
    `a developer commits ${teller.paint('cyan', commit.slice(0, 12))} “${APPLICATION} ${BAD}, mirror for eu-west”`,
  );
  await syncTo(cast, commit);
  const since = Date.now();
  let canary: ReadonlyMap<string, ClusterState> = new Map();
  const waves = wavesOf(cast);
  const { id } = await breakwater.start(APPLICATION, `the demo's bad release`);
  const rollout = await watchRollout(teller, breakwater, id, {
    timeoutMs: pace.rolloutMs,
    onWave: async (name, state) => {
      if (name === 'canary' && state === 'Succeeded') canary = await readThese(waves[0]?.clusters ?? []);
    },
  });
  const after = await settled(cast, before);
  const [first, second, rest] = waves;
  const all = stage.clusters.length;
  return [
    said('Breakwater says that the bad release is rolled back', rollout.state, 'RolledBack'),
    await canaryFirst(first?.clusters ?? [], canary, second?.clusters ?? [], since),
    await neverWritten(
      rest?.clusters ?? [],
      since,
      `no cluster of the last wave was written while ${BAD} was under way`,
    ),
    sameObjects(before, after, `every object on all ${all} clusters is as it was before ${BAD}`),
    runsImage(after, `:${GOOD}`, `${APPLICATION} ${GOOD} runs on all ${all} clusters again, and is ready`),
  ];
};

/** It changes the image, the configuration and adds an object, so that there is something of each kind to take back. */
const commitBadRelease = async (repository: ExampleRepository): Promise<string> => {
  await repository.edit('apps/podinfo/deployment.yaml', (text) => text.replace(`podinfo:${GOOD}`, `podinfo:${BAD}`));
  await repository.edit('apps/podinfo/config.yaml', (text) => text.replace('greeting: Welcome', 'greeting: Hello'));
  await repository.edit('apps/podinfo/promotions.yaml', () =>
    ['apiVersion: v1', 'kind: ConfigMap', 'metadata: { name: promotions }', 'data: { banner: Sale }', ''].join('\n'),
  );
  await repository.edit('application.yaml', (text) =>
    [
      text.trimEnd(),
      '  variants:',
      '    - clusters: { regions: [eu-west] }',
      '      values: { registry: mirror.eu-west.example/broken }',
      '',
    ].join('\n'),
  );
  return repository.commit(`${APPLICATION} ${BAD}, mirror for eu-west`);
};

/** The canary had the bad release, and ran it well, before any other cluster was touched: else nobody was protected by it. */
const canaryFirst = async (
  canary: readonly StageCluster[],
  seen: ReadonlyMap<string, ClusterState>,
  next: readonly StageCluster[],
  since: number,
): Promise<Finding> => {
  const claim = `${BAD} ran well in the canary region before the next wave was written, and the canary is back too`;
  const ran = runsImage(seen, `:${BAD}`, claim);
  const wrong = [...ran.wrong];
  if (seen.size < canary.length) wrong.push('the canary wave never passed');
  const firstOf = async (clusters: readonly StageCluster[]): Promise<readonly number[]> =>
    (await Promise.all(clusters.map((cluster) => objectWrites(cluster, since)))).map((writes) =>
      Math.min(...writes.map(({ at }) => at)),
    );
  const [first, second] = await Promise.all([firstOf(canary), firstOf(next)]);
  if (!first.every(Number.isFinite)) wrong.push('not every canary was written');
  if (!second.some(Number.isFinite)) wrong.push('the next wave was never written, so nothing was stopped there');
  if (Math.max(...first) >= Math.min(...second)) wrong.push('the next wave was written before the canary');
  return { claim, wrong };
};
