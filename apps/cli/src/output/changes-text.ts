import type { WireChanges } from '@breakwater/platform';
import { headLines } from './head.ts';
import { printable } from './style.ts';
import type { Paint } from './style.ts';
import { table } from './table.ts';
import { elapsed } from './time.ts';
import { wrapped } from './wrap.ts';

type Change = WireChanges['changes'][number];

const moment = (time: string): string => time.slice(0, 19).replace('T', ' ');

const signalLines = ({ signal, signals }: WireChanges, paint: Paint): readonly string[] => {
  if (signal === null) return ['nothing broke in this time, as far as the record knows: newest first'];
  const { at, kind, message, application } = signal;
  const others = signals.length === 1 ? '' : ` (the first of ${signals.length} signals)`;
  const where = application === null ? '' : ` ${application}`;
  return [
    ...wrapped(printable(`broke at ${moment(at)} UTC${others}:${where} ${kind}: ${message}`), ''),
    paint('grey', 'what happened shortly before that comes first, what came after it last'),
  ];
};

/** `-4m12s`: so long before the first signal. */
const distance = ({ at }: Change, signal: WireChanges['signal']): string => {
  if (at === null || signal === null) return '';
  const ms = Date.parse(at) - Date.parse(signal.at);
  return `${ms > 0 ? '+' : '-'}${elapsed(Math.abs(ms))}`;
};

const changeTable = ({ changes, signal }: WireChanges, paint: Paint): string =>
  table(
    changes,
    [
      { title: '#', value: ({ rank }) => String(rank), align: 'right' },
      { title: 'TIME (UTC)', value: ({ at }) => (at === null ? 'not known' : moment(at)) },
      ...(signal === null
        ? []
        : [{ title: 'SIGNAL', value: (change: Change) => distance(change, signal), align: 'right' as const }]),
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'BY', value: ({ by }) => (by === '' ? '?' : by), flexible: true },
      {
        title: 'WHAT',
        value: ({ what, reason }) => (reason === '' || what.includes(reason) ? what : `${what} (${reason})`),
        flexible: true,
        wrap: true,
      },
    ],
    paint,
  ).trimEnd();

export const changesText = (changes: WireChanges, paint: Paint): string =>
  [
    ...headLines(
      [
        [changes.cluster, 'bold'],
        [`from ${moment(changes.since)} to ${moment(changes.until)} UTC`, null],
      ],
      paint,
    ),
    ...signalLines(changes, paint),
    '',
    changes.changes.length === 0 ? 'no changes that anybody tells of' : changeTable(changes, paint),
    ...(changes.notLookedAt.length === 0 ? [] : ['', paint('yellow', 'NOT LOOKED AT')]),
    ...changes.notLookedAt.flatMap(({ what, reason }) => wrapped(printable(`${what}: ${reason}`), '  ')),
    ...(changes.notes.length === 0 ? [] : ['']),
    ...changes.notes.flatMap((note) => wrapped(printable(note), '')),
    '',
  ].join('\n');
