import { oneObject } from './objects.ts';
import type { Finding } from './report.ts';
import { measureSizes, perTarget, type Shape } from './rollout-cost.ts';

const SHAPE: Shape = {
  strategy: `
  waves:
    - { name: everything, maxConcurrent: 10 }
  gates:
    - { name: workloads-ready, workloads: { timeout: 5m, stableFor: 0s, failFast: 0s } }`,
  labels: () => ({}),
  render: (namespace) => oneObject({ namespace, revision: 'one', image: '' }),
};

export const benchCompletionCost = async ({ sizes }: { readonly sizes: readonly number[] }): Promise<Finding> =>
  perTarget(await measureSizes(sizes, SHAPE), {
    name: 'completion-cost',
    title: 'What one target costs, from its start to its end, by the size of its rollout; 10 at once, one object each',
    notes: [
      'must stay flat; the share of what is done once a rollout, once a second or every 30 s for verified clusters is in it',
      'servers over plain http, so that no handshake is in it; rows read are those that PostgreSQL looked at',
    ],
  });
