import { ROLLOUT_STATES, TARGET_STATES, WAVE_STATES } from '@breakwater/domain';
import fc from 'fast-check';
import { comeToRest, shapes, step } from './random-history.ts';
import { checkEnd, checkState, checkStep, type Scene, sceneOf } from './rollout-rules.ts';
import { RolloutWorld } from './rollout-world.ts';
import type { Shape } from './world-shape.ts';

const RUNS = Number(process.env['BREAKWATER_HISTORIES'] ?? 10_000);
const SEED = Number(process.env['BREAKWATER_SEED'] ?? Date.now() % 2 ** 31);

/** Of the audit trail, and told by workers. */
const EVENTS = [
  ...['cluster.quarantined', 'cluster.released', 'cluster.state-changed', 'gate.overridden', 'rollout.created'],
  ...['rollout.preflight-failed', 'rollout.state-changed', 'target.changed', 'target.state-changed'],
  ...['wave.approved', 'wave.state-changed', 'window.overridden'],
  ...['abort', 'approve', 'approve-deletions', 'override', 'override-window', 'pause', 'resume', 'retry'].map(
    (verb) => `rollout.${verb}`,
  ),
  ...['rollout.rollback', 'rollout.skip'],
  ...['Applied', 'CutOff', 'Finalized', 'GateMeasured', 'HealthObserved', 'Looked', 'Reached', 'Refused', 'Touching'],
];

/** A failure prints its seed and path; BREAKWATER_SEED and BREAKWATER_PATH replay it. */
describe('the rules of a rollout, over random histories', () => {
  it(
    `hold in ${RUNS} histories (BREAKWATER_SEED=${SEED})`,
    async () => {
      const reached = new Map<string, number>();
      const live = async (world: RolloutWorld, shape: Shape): Promise<void> => {
        const visited = new Set<string>();
        let before = await sceneOf(world);
        const visit = (scenes: readonly Scene[]): void => {
          for (const { rollout, targets } of scenes) {
            visited.add(`rollout ${rollout.state}`);
            for (const wave of rollout.waves) visited.add(`wave ${wave.state}`);
            for (const target of targets) visited.add(`target ${target.state}`);
          }
        };
        const observe = async (): Promise<void> => {
          const after = await sceneOf(world);
          checkState(world, after);
          checkStep(world, before, after);
          visit(after);
          for (const { rollout } of after) {
            if (['Progressing', 'RollingBack', 'Halted', 'Queued'].includes(rollout.state)) {
              const waiting = await world.commands.waiting(rollout);
              if (waiting.length === 0) throw new Error(`rule 11: ${rollout.state} without a reason`);
            }
          }
          before = after;
        };
        await world.start(await world.commit(world.chance(0.3)));
        await observe();
        for (let index = 0; index < shape.steps; index += 1) {
          await step(world);
          await observe();
        }
        await comeToRest(world);
        const rest = await sceneOf(world);
        checkState(world, rest);
        checkEnd(world, rest);
        visit(rest);
        for (const type of await world.eventTypes()) visited.add(`event ${type}`);
        for (const state of visited) reached.set(state, (reached.get(state) ?? 0) + 1);
      };
      const property = fc.asyncProperty(shapes, async (shape) => {
        const world = new RolloutWorld(shape);
        await live(world, shape).catch(async (error: unknown) => {
          throw new Error(`${String(error)}\n${await world.story()}`);
        });
      });
      const path = process.env['BREAKWATER_PATH'];
      await fc.assert(property, { numRuns: RUNS, seed: SEED, ...(path === undefined ? {} : { path }) });
      if (path !== undefined) return;

      const all = [
        ...ROLLOUT_STATES.map((state) => `rollout ${state}`),
        ...WAVE_STATES.map((state) => `wave ${state}`),
        ...TARGET_STATES.filter((state) => state !== 'Prefetching').map((state) => `target ${state}`),
        ...EVENTS.map((type) => `event ${type}`),
      ];
      const rare = all.filter((state) => (reached.get(state) ?? 0) < RUNS / 100);
      if (process.env['BREAKWATER_COVERAGE'] === '1') console.log([...reached].sort());
      expect(rare.map((state) => `${state}: ${reached.get(state) ?? 0} of ${RUNS}`)).toEqual([]);
    },
    30 * 60_000,
  );
});
