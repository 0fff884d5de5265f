import { describeKubeApiConformance } from '@breakwater/testing';
import { startSimulatedFleet } from './index.ts';

describeKubeApiConformance('the simulator', async () => {
  const fleet = await startSimulatedFleet({ clusters: [{ name: 'one' }] });
  const cluster = fleet.cluster('one');
  return {
    url: cluster.server,
    ca: fleet.ca,
    token: cluster.token,
    powerlessToken: cluster.tokenFor('nobody'),
    stop: () => fleet.stop(),
  };
});
