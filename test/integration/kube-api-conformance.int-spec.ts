import { acquireTestbed, describeKubeApiConformance, requireTestbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';

const { describe } = requireTestbed();

describe('real API servers', () => {
  describeKubeApiConformance(
    'kube-apiserver of the test bed',
    async () => {
      const bed = await acquireTestbed({ clusters: 1, label: 'kube-api-conformance' });
      const [cluster] = bed.clusters;
      if (!cluster) throw new Error('the test bed gave no cluster');
      const { tokens, caPem } = cluster.access;
      return {
        url: cluster.url,
        ca: caPem,
        token: tokens['admin'] ?? '',
        powerlessToken: tokens['nobody'] ?? '',
        stop: () => bed.release(),
      };
    },
    { startTimeoutMs: TESTBED_TIMEOUT_MS },
  );
});
