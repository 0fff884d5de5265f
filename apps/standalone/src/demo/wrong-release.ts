import { type Cast, GOOD, readThese, said, settled, syncTo, wavesOf } from './cast.ts';
import type { ExampleRepository } from './example-repository.ts';
import { APPLICATION } from './stage.ts';
import { printable } from './teller.ts';
import { type ClusterState, type Finding, neverWritten, runsImage, sameObjects } from './verdict.ts';
import { watchRollout } from './watch-rollout.ts';

const GATE = 'canary-errors';
/** The simulated metrics read from the tag how many more errors it makes. */
const WRONG = '2.3.0-errors-3x';

/** From now on the canary is judged by its figures too. */
export const addGate = async (cast: Cast): Promise<void> => {
  const { teller, repository, metrics } = cast;
  teller.heading('A gate on figures: are the canary’s errors those of the clusters without the release?');
  await repository.edit('strategy.yaml', (text) =>
    text.replace(
      '  onFailure:',
      `    - { gate: ${GATE}, waves: [canary], parameters: { prometheus: '${metrics.address}' } }\n  onFailure:`,
    ),
  );
  const commit = await repository.commit(`gate ${GATE}`);
  teller.event(`a developer commits ${teller.paint('cyan', commit.slice(0, 12))} “gate ${GATE}”: kind comparison`);
  teller.event(`it asks the simulated Prometheus at ${metrics.host}, whose figures follow the images that run`);
  await syncTo(cast, commit);
};

/** Ready everywhere, and three times as many errors: nothing but its figures is wrong with it. */
export const wrongRelease = async (
  cast: Cast,
  before: ReadonlyMap<string, ClusterState>,
): Promise<readonly Finding[]> => {
  const { teller, repository, breakwater, stage, pace } = cast;
  teller.heading(`A wrong release: ${APPLICATION} ${WRONG} becomes ready, and makes three times as many errors`);
  const commit = await commitWrongRelease(repository);
  teller.event(`a developer commits ${teller.paint('cyan', commit.slice(0, 12))} “${APPLICATION} ${WRONG}”`);
  await syncTo(cast, commit);
  const since = Date.now();
  const [canary, ...others] = wavesOf(cast);
  let ready: ReadonlyMap<string, ClusterState> = new Map();
  const { id } = await breakwater.start(APPLICATION, `the demo's wrong release`);
  const rollout = await watchRollout(teller, breakwater, id, {
    timeoutMs: pace.rolloutMs,
    onWave: async (name, state) => {
      if (name === 'canary' && state === 'Soaking') ready = await readThese(canary?.clusters ?? []);
    },
  });
  const explanation = await breakwater.command('rollout', 'explain', APPLICATION);
  teller.event(`why? ${teller.paint('bold', `breakwater rollout explain ${APPLICATION}`)} says:`);
  for (const line of explanation.trimEnd().split('\n')) teller.line(`              ${printable(line)}`);
  const after = await settled(cast, before);
  const ran = runsImage(ready, `:${WRONG}`, `${WRONG} ran in the canary region, and was ready there`);
  return [
    said('Breakwater says that the wrong release is rolled back', rollout.state, 'RolledBack'),
    { ...ran, wrong: [...ran.wrong, ...(ready.size === 0 ? ['the canary wave was never verified'] : [])] },
    await neverWritten(
      others.flatMap(({ clusters }) => clusters),
      since,
      `no cluster outside of the canary region was written while ${WRONG} was under way`,
    ),
    explains(explanation),
    sameObjects(before, after, `every object on all ${stage.clusters.length} clusters is as it was before ${WRONG}`),
    runsImage(after, `:${GOOD}`, `${APPLICATION} ${GOOD} runs on all ${stage.clusters.length} clusters, and is ready`),
  ];
};

/** The mirror of the release before is taken out: its image can be pulled everywhere. */
const commitWrongRelease = async (repository: ExampleRepository): Promise<string> => {
  await repository.edit('application.yaml', (text) => text.replace(/\n {2}variants:[^]*$/, '\n'));
  await repository.edit('apps/podinfo/deployment.yaml', (text) => text.replace(/podinfo:[\w.-]+/, `podinfo:${WRONG}`));
  return repository.commit(`${APPLICATION} ${WRONG}`);
};

const explains = (explanation: string): Finding => {
  const text = explanation.replaceAll(/\s+/g, ' ');
  const wanted = [GATE, 'updated cluster', 'untouched cluster'];
  return {
    claim: 'the explanation names the gate, and the figures of updated and untouched clusters',
    wrong: wanted.filter((word) => !text.includes(word)).map((word) => `it does not say ${JSON.stringify(word)}`),
  };
};
