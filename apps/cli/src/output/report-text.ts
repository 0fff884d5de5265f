import type { WireAuditEvent, WireReport } from '@breakwater/platform';
import { rolloutText } from './rollout-text.ts';
import { printable } from './style.ts';
import type { Paint } from './style.ts';
import { table } from './table.ts';
import { wrapped } from './wrap.ts';

export const auditTable = (events: readonly WireAuditEvent[], paint: Paint): string =>
  events.length === 0
    ? 'no events\n'
    : table(
        events,
        [
          { title: 'TIME (UTC)', value: ({ at }) => at.slice(0, 19).replace('T', ' ') },
          { title: 'BY', value: ({ actor }) => actor, flexible: true },
          { title: 'EVENT', value: ({ type }) => type, flexible: true },
          {
            title: 'ABOUT',
            value: ({ cluster, application, repository }) => cluster ?? application ?? repository ?? '',
            flexible: true,
          },
          {
            title: 'WHAT',
            value: ({ message, reason }) => {
              if (reason === '' || message.includes(reason)) return message;
              return message === '' ? reason : `${message} (${reason})`;
            },
            wrap: true,
            flexible: true,
          },
        ],
        paint,
      );

export const reportText = (report: WireReport, paint: Paint, now: number): string =>
  [
    ...wrapped(printable(report.headline), ''),
    '',
    rolloutText(report.rollout, report.targets, paint, now).trimEnd(),
    '',
    paint('bold', 'EVENTS'),
    auditTable(report.events, paint),
  ].join('\n');
