import { z } from 'zod';
import { RISKS } from '../../fleet/index.ts';
import { approvalGate } from '../../gates/kinds/approval.ts';
import { documentSchema } from './document.schema.ts';
import { gateList } from './gate.schema.ts';
import { refuse, says } from './field-message.ts';
import { countOrPercentage, duration, fields, name } from './fields.ts';
import { clusterSelector } from './selector.schema.ts';
import { waveSchedule } from './window.schema.ts';

const wave = () =>
  fields({
    name: name().describe('Unique in the strategy.'),
    clusters: clusterSelector().optional().describe('Which clusters belong to the wave.'),
    risk: z.enum(RISKS).optional().describe('Only clusters with this risk.'),
    maxConcurrent: countOrPercentage(1)
      .default(1)
      .describe('Clusters in flight at once: a number, or a percentage of the wave rounded down to at least 1.'),
    failureBudget: countOrPercentage(0)
      .default(0)
      .describe('Failed clusters that the wave bears: a number, or a percentage of the wave rounded down.'),
    soak: duration().prefault('0s').describe('How long a verified wave is watched before the next one starts.'),
    allowEmpty: z.boolean().default(false).describe('Whether the wave may select no cluster.'),
    schedule: waveSchedule()
      .optional()
      .describe('Business hours: targets are written to only inside of one of them. Default: at any time.'),
    minClusters: countOrPercentage(0)
      .default(0)
      .describe('Clusters that have to be verified before the next wave: a number, or a percentage of the wave.'),
    approval: approvalGate.schema().optional().describe('People have to let the wave start.'),
    gates: gates().optional().describe("Gates of this wave alone, beside the strategy's."),
  });

type ParsedWave = z.output<ReturnType<typeof wave>>;
const isRest = (parsed: ParsedWave): boolean => parsed.clusters === undefined && parsed.risk === undefined;

const refuseDuplicates = (
  items: readonly { readonly name: string }[],
  what: string,
  context: z.RefinementCtx,
): void => {
  const first = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const before = first.get(item.name);
    if (before === undefined) first.set(item.name, index);
    else
      refuse(
        context,
        [index, 'name'],
        `is the name of another ${what} of this strategy`,
        `give each ${what} its own name`,
        'DuplicateName',
      );
  }
};

const waves = () =>
  z
    .array(wave())
    .min(1, says('has no waves', 'name at least one, such as { name: everything }'))
    .max(100, says('has more than 100 waves', 'merge some of them'))
    .superRefine((list, context) => {
      refuseDuplicates(list, 'wave', context);
      for (const [index, parsed] of list.entries())
        if (isRest(parsed) && index < list.length - 1)
          refuse(
            context,
            [index],
            `wave ${parsed.name} has no selector and would take every cluster from the waves after it`,
            'give it clusters or risk, or make it the last',
          );
    });

const gates = () =>
  gateList().superRefine((list, context) => {
    refuseDuplicates(
      list.map((gate) => ({ name: gate.name ?? gate.gate ?? '' })),
      'gate',
      context,
    );
  });

const spec = fields({
  waves: waves().describe(
    'In order. A cluster belongs to the first that selects it; one without a selector takes the rest.',
  ),
  gates: gates()
    .prefault([])
    .describe(
      'What must hold before a wave starts, on each cluster, and while a wave soaks. The workloads gate is always on.',
    ),
  failureDomains: fields({
    maxInFlight: z.int().min(1).max(100_000).default(1).describe('Clusters of one failure domain in flight at once.'),
  })
    .prefault({})
    .describe('Never too many clusters that fail together.'),
  unreachable: fields({
    wait: duration().prefault('10m').describe('How long to wait for a cluster that cannot be reached.'),
    then: z
      .enum(['count', 'skip', 'halt'])
      .default('count')
      .describe('And then: count it against the failure budget, skip it, or halt.'),
  })
    .prefault({})
    .describe('Clusters that cannot be reached.'),
  slow: fields({
    after: duration().optional().describe("By default the workloads gate's time-out."),
    then: z
      .enum(['fail', 'wait', 'halt'])
      .default('fail')
      .describe('A cluster that is not ready by then, and not failing: it fails, is waited for, or halts the rollout.'),
  })
    .prefault({})
    .describe('Clusters that take their time. One that fails in a way that does not mend by itself fails in any case.'),
  preflight: fields({
    onFailure: z
      .enum(['stop', 'leaveOut'])
      .default('stop')
      .describe(
        'A cluster that would refuse the release: nothing begins anywhere until it is mended, or it is left out.',
      ),
  })
    .prefault({})
    .describe('What is asked of every cluster before the first change.'),
  onFailure: fields({
    action: z
      .enum(['rollback', 'halt'])
      .default('rollback')
      .describe('What happens when the failure budget is used up.'),
    scope: z.enum(['cluster', 'wave', 'rollout']).default('rollout').describe('How much is rolled back.'),
    maxConcurrent: countOrPercentage(1).default('100%').describe('Clusters rolled back at once.'),
    failureDomains: z
      .enum(['ignore', 'respect'])
      .default('ignore')
      .describe('Whether a rollback minds failure domains.'),
  })
    .prefault({})
    .describe('The response to failure.'),
  concurrentRollouts: z
    .enum(['queue', 'supersede', 'reject'])
    .default('queue')
    .describe('A rollout that starts while another of its application runs; in the queue only the newest waits.'),
  concurrency: fields({
    region: z.int().min(1).max(100_000).optional().describe('Clusters of one region in flight at once.'),
    cluster: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('Rollouts in flight on one cluster at once, those of other applications too.'),
  })
    .prefault({})
    .describe("Limits beside each wave's own."),
  failureBudgets: fields({
    region: z.int().min(0).max(100_000).optional().describe('Failed clusters that each region bears.'),
    rollout: z.int().min(0).max(100_000).optional().describe('Failed clusters that the rollout bears in all.'),
  })
    .prefault({})
    .describe("Budgets beside each wave's own."),
  deadline: duration().optional().describe('The rollout halts and asks after this; time in a freeze does not count.'),
  runbook: z
    .url({ protocol: /^https?$/, error: says('is not a web address', 'write an http or https URL') })
    .optional()
    .describe('What on-call reads.'),
});

export const strategySchema = documentSchema('Strategy', spec).describe('How a release goes through a fleet.');
