import type { WireExplanation } from '@breakwater/platform';
import { headLines } from './head.ts';
import { blockerLine } from './rollout-text.ts';
import { printable } from './style.ts';
import type { Paint } from './style.ts';
import { elapsed } from './time.ts';
import { wrapped } from './wrap.ts';

const endText = (end: NonNullable<WireExplanation['expectedEnd']>, now: number): string => {
  const away = [end.earliest, end.latest].map((time) => elapsed(Date.parse(time) - now));
  const times = [end.earliest, end.latest].map((time) => time.slice(0, 19).replace('T', ' '));
  return `between ${times.join(' and ')} UTC (in ${away.join(' to ')}), if nothing fails; ${printable(end.basis)}`;
};

const whatIfLine = ({ command, at, outcome }: WireExplanation['whatIf'][number], now: number): string => {
  const waiting = at === null ? 'nobody does anything' : `nothing changes, in ${elapsed(Date.parse(at) - now)}`;
  return `${command === null ? waiting : printable(command)}: ${printable(outcome)}`;
};

export const explanationText = (explanation: WireExplanation, paint: Paint, now: number): string => {
  const blockers = explanation.blockers.flatMap((blocker) => wrapped(blockerLine(blocker, now), '  '));
  return [
    ...headLines(
      [
        [explanation.subject, 'bold'],
        [explanation.summary, null],
      ],
      paint,
      ': ',
    ),
    ...(blockers.length === 0 ? [] : [paint('bold', 'waiting for'), ...blockers]),
    ...wrapped(`next: ${printable(explanation.next)}`, ''),
    ...explanation.notes.flatMap((note) => wrapped(`note: ${printable(note)}`, '')),
    ...(explanation.whatIf.length === 0 ? [] : [paint('bold', 'what if')]),
    ...explanation.whatIf.flatMap((row) => wrapped(whatIfLine(row, now), '  ')),
    ...(explanation.expectedEnd === null ? [] : wrapped(`expected end: ${endText(explanation.expectedEnd, now)}`, '')),
    '',
  ].join('\n');
};
