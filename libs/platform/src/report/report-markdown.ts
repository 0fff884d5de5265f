import type { WireReport } from '../wire/rollout-shapes.ts';
import { escaped, markdownTable } from './markdown-text.ts';

const clock = (time: string | null): string => (time === null ? '-' : time.slice(0, 19).replace('T', ' '));
const seconds = (value: number | null): string => (value === null ? '-' : `${value} s`);
const because = (reason: string): string => (reason === '' ? '' : `: ${reason}`);

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines];

/** The whole story of a rollout as Markdown. Every text in it is escaped: it comes from clusters, Git and people. */
export const reportMarkdown = (report: WireReport): string => {
  const { rollout, figures } = report;
  return [
    `# Rollout ${escaped(rollout.id)} of ${escaped(rollout.application)}`,
    '',
    escaped(report.headline),
    ...section('Broken glass', overrides(report)),
    ...section('Facts', [
      ...markdownTable(
        ['fact', 'value'],
        [
          ['application', `${rollout.application}, fleet ${rollout.fleet}`],
          ['revision', `${rollout.revision.commit} (${rollout.revision.digest})`],
          ['started by', `${rollout.createdBy}${because(report.startReason)}`],
          ['strategy', report.plan.strategy],
          [
            'created, started, finished (UTC)',
            [rollout.createdAt, rollout.startedAt, rollout.finishedAt].map(clock).join(', '),
          ],
          ['duration', seconds(report.durationSeconds)],
          ['clusters touched', `${figures.touched} of ${report.targets.length}`],
          ['time to halt', seconds(figures.secondsToHalt)],
          ['time to restore', seconds(figures.secondsToRestore)],
          ...(report.runbook === null ? [] : [['runbook', report.runbook]]),
        ],
      ),
    ]),
    ...section('Waves', waves(report)),
    ...section('Rollback', rollback(report)),
    ...section('Approvals', approvals(report)),
    ...section('Gates', gates(report)),
    ...section('Clusters that are not at the revision', clusters(report)),
    ...section('Timeline', timeline(report)),
    ...section(
      'Left out',
      report.notes.map((note) => `- ${escaped(note)}`),
    ),
    '',
  ].join('\n');
};

const overrides = ({ rollout }: WireReport): readonly string[] =>
  rollout.overrides.map(
    ({ wave, gate, cluster, by, reason, at }) =>
      `- **OVERRIDDEN** gate ${escaped(gate)} of wave ${escaped(wave)}${cluster === null ? '' : ` on ${escaped(cluster)}`} by ${escaped(by)} at ${clock(at)}${escaped(because(reason))}`,
  );

const waves = ({ rollout, plan }: WireReport): readonly string[] =>
  markdownTable(
    [
      'wave',
      'state',
      'clusters',
      'verified',
      'failed',
      'unreachable',
      'skipped',
      'returned',
      'at once',
      'failure budget',
      'soak',
      'gates',
      'started',
      'finished',
    ],
    rollout.waves.map(({ name, state, counts, startedAt, finishedAt }, index) => {
      const planned = plan.waves[index];
      const { total, succeeded, failed, unreachable, skipped, rolledBack } = counts;
      return [
        name,
        state,
        ...[total, succeeded, failed, unreachable, skipped, rolledBack].map(String),
        String(planned?.maxConcurrent ?? ''),
        String(planned?.failureBudget ?? ''),
        seconds(planned?.soakSeconds ?? null),
        (planned?.gates ?? []).join(', '),
        clock(startedAt),
        clock(finishedAt),
      ];
    }),
  );

const rollback = ({ rollback: order }: WireReport): readonly string[] =>
  order === null
    ? []
    : [
        `- ${order.automatic ? 'automatic' : `ordered by ${escaped(order.by)}`} at ${clock(order.startedAt)}, scope ${order.scope}${escaped(because(order.reason))}`,
      ];

const approvals = ({ rollout }: WireReport): readonly string[] =>
  rollout.waves.flatMap(({ name, approvals: given }) =>
    given.map(
      ({ by, reason, at }) => `- wave ${escaped(name)}: ${escaped(by)} at ${clock(at)}${escaped(because(reason))}`,
    ),
  );

const gates = (report: WireReport): readonly string[] =>
  report.gates.length === 0
    ? []
    : markdownTable(
        ['wave', 'gate', 'kind', 'when', 'cluster', 'state', 'good', 'bad', 'inconclusive', 'errors', 'evidence'],
        report.gates.map(({ wave, gate, kind, phase, cluster, state, tally, evidence }) => [
          wave,
          gate,
          kind,
          phase,
          cluster ?? '',
          state,
          ...[tally.successes, tally.failures, tally.inconclusive, tally.errors].map(String),
          evidence,
        ]),
      );

const clusters = ({ notAtRevision }: WireReport): readonly string[] =>
  notAtRevision.length === 0
    ? []
    : markdownTable(
        ['cluster', 'wave', 'state', 'reason', 'message', 'left out by'],
        notAtRevision.map(({ cluster, wave, state, reason, message, skippedBy }) => [
          cluster,
          wave,
          state,
          reason,
          message,
          skippedBy ?? '',
        ]),
      );

const timeline = ({ events }: WireReport): readonly string[] =>
  events.length === 0
    ? []
    : markdownTable(
        ['time (UTC)', 'what', 'where', 'by', 'reason', 'message', 'evidence'],
        events.map(({ at, type, cluster, actor, reason, message, data }) => {
          const change = typeof data['to'] === 'string' ? ` → ${data['to']}` : '';
          const wave = typeof data['wave'] === 'string' ? data['wave'] : '';
          const evidence = typeof data['evidence'] === 'string' ? data['evidence'] : '';
          return [clock(at), `${type}${change}`, cluster ?? wave, actor, reason, message, evidence];
        }),
      );
