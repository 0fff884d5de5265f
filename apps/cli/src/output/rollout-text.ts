import type { WireBlocker, WireRollout, WireTarget } from '@breakwater/platform';
import { printable } from './style.ts';
import type { Paint } from './style.ts';
import { colourOf } from './style.ts';
import { cut, table } from './table.ts';
import { ago, elapsed, shortCommit } from './time.ts';
import { wrapped } from './wrap.ts';

/** A paused rollout reads `Progressing (paused)`. */
export const stateOf = (rollout: Pick<WireRollout, 'state' | 'paused'>): string =>
  rollout.paused === null ? rollout.state : `${rollout.state} (paused)`;

const sum = (rollout: WireRollout, of: (counts: WireRollout['waves'][number]['counts']) => number): number =>
  rollout.waves.reduce((total, wave) => total + of(wave.counts), 0);

export const progressOf = (rollout: WireRollout): string =>
  `${sum(rollout, ({ succeeded }) => succeeded)}/${sum(rollout, ({ total }) => total)}`;

export const rolloutTable = (rollouts: readonly WireRollout[], paint: Paint, now: number): string =>
  rollouts.length === 0
    ? 'no rollouts\n'
    : table(
        rollouts,
        [
          { title: 'ID', value: ({ id }) => id },
          { title: 'APPLICATION', value: ({ application }) => application, flexible: true },
          { title: 'REVISION', value: ({ revision }) => shortCommit(revision.commit) },
          { title: 'STATE', value: stateOf, state: true },
          { title: 'DONE', value: progressOf, align: 'right' },
          { title: 'AGE', value: ({ createdAt }) => ago(createdAt, now), align: 'right' },
          { title: 'BY', value: ({ createdBy }) => createdBy, flexible: true },
        ],
        paint,
      );

export const waveTable = (rollout: WireRollout, paint: Paint, now: number): string =>
  table(
    rollout.waves,
    [
      { title: 'WAVE', value: ({ name }) => name, flexible: true },
      { title: 'STATE', value: ({ state }) => state, state: true },
      { title: 'DONE', value: ({ counts }) => `${counts.succeeded}/${counts.total}`, align: 'right' },
      { title: 'IN FLIGHT', value: ({ counts }) => String(counts.inFlight), align: 'right' },
      { title: 'FAILED', value: ({ counts }) => String(counts.failed), align: 'right' },
      { title: 'UNREACHABLE', value: ({ counts }) => String(counts.unreachable), align: 'right' },
      { title: 'SKIPPED', value: ({ counts }) => String(counts.skipped), align: 'right' },
      { title: 'RETURNED', value: ({ counts }) => String(counts.rolledBack), align: 'right' },
      {
        title: 'TOOK',
        value: ({ startedAt, finishedAt }) =>
          startedAt === null
            ? '-'
            : elapsed((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt)),
        align: 'right',
      },
    ],
    paint,
  );

export const targetTable = (targets: readonly WireTarget[], paint: Paint): string =>
  table(
    targets,
    [
      { title: 'CLUSTER', value: ({ cluster }) => cluster },
      { title: 'WAVE', value: ({ wave }) => wave, flexible: true },
      { title: 'STATE', value: ({ state }) => state, state: true },
      {
        title: 'BEFORE',
        value: ({ previousRevision }) => (previousRevision === null ? '-' : shortCommit(previousRevision.commit)),
      },
      { title: 'MESSAGE', value: ({ message }) => message, flexible: true, wrap: true },
    ],
    paint,
  );

/** `GatePending canary/eu-west-1a workloads-ready apps/Deployment/podinfo/web: 1 of 3 replicas (since 2m, until in 3m)`. */
export const blockerLine = (blocker: WireBlocker, now: number): string => {
  const place = [blocker.wave, blocker.cluster].filter((part) => part !== null).join('/');
  const head = [blocker.reason, place, blocker.gate, blocker.object]
    .filter((part) => part !== null && part !== '')
    .join(' ');
  const since = blocker.since === null ? [] : [`for ${ago(blocker.since, now)}`];
  const until = blocker.until === null ? [] : [`at most ${elapsed(Date.parse(blocker.until) - now)} more`];
  const times = [...since, ...until].join(', ');
  return printable(`${head}: ${blocker.evidence}${times === '' ? '' : ` (${times})`}`);
};

export const headerLines = (rollout: WireRollout, paint: Paint, now: number): string[] => {
  const colour = colourOf(stateOf(rollout));
  const state = colour === null ? stateOf(rollout) : paint(colour, stateOf(rollout));
  const begun = rollout.startedAt ?? rollout.createdAt;
  const took = elapsed((rollout.finishedAt === null ? now : Date.parse(rollout.finishedAt)) - Date.parse(begun));
  const title = cut(
    printable(`${rollout.application} → ${shortCommit(rollout.revision.commit)} on ${rollout.fleet}`),
    60,
  );
  const lines = [
    `${paint('bold', title)}  ${state}  ${took}`,
    ...wrapped(printable(rollout.message === '' ? rollout.reason : `${rollout.reason}: ${rollout.message}`), '  '),
  ];
  if (rollout.paused !== null) {
    const { mode, by, reason, since } = rollout.paused;
    const why = reason === '' ? '' : `: ${reason}`;
    lines.push(...wrapped(printable(`paused (${mode}) by ${by} for ${ago(since, now)}${why}`), '  '));
  }
  return lines;
};

/** Break-glass is loud wherever the rollout is shown. */
const overrideLines = (rollout: WireRollout, paint: Paint): string[] =>
  rollout.overrides.length === 0
    ? []
    : [
        '',
        paint('bold', 'OVERRIDDEN'),
        ...rollout.overrides.flatMap(({ wave, gate, cluster, by, reason, at }) =>
          wrapped(
            printable(`${gate} of ${[wave, cluster].filter(Boolean).join('/')}, by ${by} at ${at}: ${reason}`),
            '  ',
          ),
        ),
      ];

/** One rollout for people: what it is, its waves, its targets, and what it waits for. */
export const rolloutText = (
  rollout: WireRollout,
  targets: readonly WireTarget[],
  paint: Paint,
  now: number,
): string => {
  const waiting = rollout.waiting.flatMap((blocker) => wrapped(blockerLine(blocker, now), '  '));
  return [
    ...headerLines(rollout, paint, now),
    ...wrapped(printable(`id ${rollout.id}, created ${rollout.createdAt} by ${rollout.createdBy}`), '  '),
    '',
    waveTable(rollout, paint, now).trimEnd(),
    ...(targets.length === 0 ? [] : ['', targetTable(targets, paint).trimEnd()]),
    ...overrideLines(rollout, paint),
    ...(waiting.length === 0 ? [] : ['', paint('bold', 'WAITING FOR'), ...waiting]),
    '',
  ].join('\n');
};
