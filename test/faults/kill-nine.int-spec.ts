import { acquireTestbed, requireTestbed, type Testbed } from '@breakwater/testing';
import { CLUSTERS, fullCampaign, HELD, killCampaign } from '../support/kill-campaign.ts';
import { simulatedKillWorld, testbedKillWorld } from '../support/kill-world.ts';
import { chosenSeed } from '../support/random.ts';

/** `BREAKWATER_KILLS=20`: so many kills of a rollout, half as many of a rollback, and every seam of both. */
const MANY = process.env['BREAKWATER_KILLS'];
const SEED = chosenSeed();
const { describe: describeWithTestbed } = requireTestbed();

describe(`kill -9 of the whole program, on simulated clusters (seed ${SEED})`, () => {
  const few = { rollouts: 2, rollbacks: 1, rolloutSeams: 3, rollbackSeams: 2 };
  killCampaign(() => simulatedKillWorld(CLUSTERS), SEED, MANY === undefined ? few : fullCampaign(Number(MANY)));
});

describeWithTestbed(`kill -9 of the whole program, on real API servers (seed ${SEED})`, () => {
  const few = { rollouts: 2, rollbacks: 1, rolloutSeams: 0, rollbackSeams: 0 };
  let bed: Testbed | null = null;
  const createWorld = async () => {
    bed = await acquireTestbed({ clusters: CLUSTERS, label: 'kill -9' });
    await bed.reset();
    return testbedKillWorld(bed.clusters, HELD);
  };
  killCampaign(createWorld, SEED, MANY === undefined ? few : fullCampaign(Number(MANY)));
  afterAll(() => bed?.release());
});
