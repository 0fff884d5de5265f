import type { WireApplication, WireCluster, WireFleet, WirePlan, WireRepository } from '@breakwater/platform';
import { headLines } from './head.ts';
import { colourOf, printable } from './style.ts';
import type { Paint } from './style.ts';
import { table } from './table.ts';
import { ago, elapsed, shortCommit } from './time.ts';
import { wrapped } from './wrap.ts';

const revision = (value: { readonly commit: string } | null): string =>
  value === null ? '-' : shortCommit(value.commit);

export const clusterTable = (clusters: readonly WireCluster[], paint: Paint, now: number): string =>
  clusters.length === 0
    ? 'no clusters\n'
    : table(
        clusters,
        [
          { title: 'CLUSTER', value: ({ name }) => name },
          { title: 'REGION', value: ({ region }) => region ?? '-', flexible: true },
          { title: 'STATE', value: (cluster) => cluster.state, state: true },
          { title: 'VERSION', value: ({ version }) => version ?? '-', flexible: true },
          {
            title: 'SEEN',
            value: ({ lastSeen }) => (lastSeen === null ? 'never' : `${ago(lastSeen, now)} ago`),
            align: 'right',
          },
          { title: 'APPS', value: ({ applications }) => String(applications.length), align: 'right' },
          { title: 'MESSAGE', value: ({ reason, message }) => message || reason, flexible: true, wrap: true },
        ],
        paint,
      );

export const clusterText = (cluster: WireCluster, paint: Paint, now: number): string => {
  const facts = Object.entries(cluster.facts).flatMap(([name, value]) =>
    wrapped(printable(`${name}: ${JSON.stringify(value)}`), '  '),
  );
  const seen = cluster.lastSeen === null ? 'never seen' : `seen ${ago(cluster.lastSeen, now)} ago`;
  const applications = table(
    cluster.applications,
    [
      { title: 'APPLICATION', value: ({ application }) => application, flexible: true },
      { title: 'DESIRED', value: ({ desired }) => revision(desired) },
      { title: 'RUNNING', value: ({ running }) => revision(running) },
      { title: 'LAST GOOD', value: ({ lastGood }) => revision(lastGood) },
      {
        title: 'OWED',
        value: ({ owed }) => (owed === null ? '-' : owed.revision === null ? 'removal' : revision(owed.revision)),
      },
      { title: 'BLOCKED BY', value: ({ blockedBy }) => blockedBy ?? '-' },
    ],
    paint,
  );
  return [
    ...headLines(
      [
        [cluster.name, 'bold'],
        [cluster.state, colourOf(cluster.state)],
        [cluster.region ?? 'no region', null],
        [cluster.version ?? 'version unknown', null],
        [seen, null],
      ],
      paint,
    ),
    ...(cluster.message === '' ? [] : wrapped(printable(`${cluster.reason}: ${cluster.message}`), '  ')),
    ...(cluster.uid === null ? [] : [`  uid: ${cluster.uid}`]),
    ...facts,
    ...(cluster.applications.length === 0 ? ['', 'nothing of Breakwater runs there'] : ['', applications.trimEnd()]),
    '',
  ].join('\n');
};

export const fleetTable = (fleets: readonly WireFleet[], paint: Paint): string =>
  fleets.length === 0
    ? 'no fleets\n'
    : table(
        fleets,
        [
          { title: 'FLEET', value: ({ name }) => name },
          { title: 'STRATEGY', value: ({ strategy }) => strategy ?? '-', flexible: true },
          { title: 'CLUSTERS', value: ({ clusters }) => String(clusters.length), align: 'right' },
          { title: 'MEMBERS', value: ({ clusters }) => clusters.join(', '), flexible: true, wrap: true },
        ],
        paint,
      );

const rolloutState = ({ rollout }: WireApplication): string =>
  rollout === null ? '-' : rollout.paused ? `${rollout.state} (paused)` : rollout.state;

export const applicationTable = (applications: readonly WireApplication[], paint: Paint): string =>
  applications.length === 0
    ? 'no applications\n'
    : table(
        applications,
        [
          { title: 'APPLICATION', value: ({ name }) => name },
          { title: 'FLEET', value: ({ fleet }) => fleet ?? '-', flexible: true },
          { title: 'STATE', value: (application) => application.state, state: true },
          {
            title: 'NEWEST',
            value: ({ newest }) => (newest === null ? '-' : `${revision(newest.revision)} ${newest.state}`),
          },
          { title: 'PROVEN', value: ({ proven }) => revision(proven) },
          { title: 'GIT', value: ({ gitAhead }) => (gitAhead ? 'ahead' : 'in step') },
          { title: 'ROLLOUT', value: rolloutState, state: true },
        ],
        paint,
      );

export const applicationText = (application: WireApplication, paint: Paint, now: number): string => {
  const { newest, proven, rollout } = application;
  return [
    ...headLines(
      [
        [application.name, 'bold'],
        [application.state, colourOf(application.state)],
        [`fleet ${application.fleet ?? '-'}`, null],
        [`trigger ${application.trigger ?? '-'}`, null],
      ],
      paint,
    ),
    ...wrapped(
      `repository: ${application.repository ?? 'none: it left Git'}${application.commit === null ? '' : ` at ${shortCommit(application.commit)}`}`,
      '  ',
    ),
    `  newest release: ${newest === null ? 'none' : `${revision(newest.revision)} ${newest.state}, ${ago(newest.createdAt, now)} ago`}`,
    `  proven: ${revision(proven)}${application.gitAhead ? ' (Git is ahead)' : ''}`,
    `  newest rollout: ${rollout === null ? 'none' : `${rollout.id}, ${rolloutState(application)}, ${ago(rollout.createdAt, now)} ago`}`,
    '',
  ].join('\n');
};

export const repositoryTable = (repositories: readonly WireRepository[], paint: Paint, now: number): string =>
  repositories.length === 0
    ? 'no repositories\n'
    : table(
        repositories,
        [
          { title: 'REPOSITORY', value: ({ name }) => name },
          { title: 'STATE', value: (repository) => repository.state, state: true },
          { title: 'REF', value: ({ ref }) => ref, flexible: true },
          {
            title: 'OBSERVED',
            value: ({ observed }) =>
              observed === null ? '-' : `${shortCommit(observed.commit)} ${ago(observed.at, now)} ago`,
          },
          { title: 'IN FORCE', value: ({ good }) => (good === null ? '-' : shortCommit(good.commit)) },
          { title: 'ERRORS', value: ({ errors }) => String(errors.length), align: 'right' },
          { title: 'URL', value: ({ url }) => url, flexible: true },
        ],
        paint,
      );

/** An error of a document, as `validate` prints it too. */
export const documentErrorLine = (error: WireRepository['errors'][number]): string => {
  const place = [error.file, error.line, error.column].filter((part) => part !== null && part !== '').join(':');
  const subject = error.kind === null ? [] : [`${error.kind}/${error.name ?? '?'}`];
  const where = [place, ...subject, ...(error.field === null ? [] : [error.field])].join(' ');
  return printable(`${where}: ${error.message}${error.remedy === '' ? '' : `; ${error.remedy}`}`);
};

export const repositoryText = (repository: WireRepository, paint: Paint, now: number): string => {
  const { observed, good, errors } = repository;
  return [
    ...headLines(
      [
        [repository.name, 'bold'],
        [repository.state, colourOf(repository.state)],
        [repository.url, null],
        [repository.ref, null],
      ],
      paint,
    ),
    ...(repository.message === '' ? [] : wrapped(printable(repository.message), '  ')),
    `  observed: ${observed === null ? 'nothing yet' : `${observed.commit}, ${ago(observed.at, now)} ago`}`,
    `  in force: ${good === null ? 'nothing yet' : `${good.commit}, ${ago(good.at, now)} ago`}`,
    ...(errors.length === 0
      ? []
      : ['', paint('bold', 'ERRORS'), ...errors.flatMap((error) => wrapped(documentErrorLine(error), '  '))]),
    '',
  ].join('\n');
};

const changesOf = ({ changes }: WirePlan['members'][number]): string =>
  `+${changes.create.length} ~${changes.update.length} -${changes.delete.length} =${changes.unchanged}`;

const named = (clusters: readonly string[]): string =>
  clusters.length <= 5 ? clusters.join(', ') : `${clusters.slice(0, 5).join(', ')} and ${clusters.length - 5} more`;

const FIELD = ' '.repeat(12);
const lines = (text: string, indent = '  '): string[] => wrapped(printable(text), indent);

/** `same change on 41 clusters`, and what it is, field by field. */
const changeLines = ({ clusters, ...change }: WirePlan['changes'][number], first: boolean): readonly string[] => [
  ...lines(
    `${first ? 'same change' : 'differs'} on ${clusters.length} ${clusters.length === 1 ? 'cluster' : 'clusters'}: ${named(clusters)}`,
    '',
  ),
  ...change.create.flatMap((key) => lines(`create  ${key}`)),
  ...change.update.flatMap(({ object, fields, more }) => [
    ...lines(`update  ${object}`),
    ...fields.flatMap(({ path, from, to }) => lines(`${path}: ${from ?? '(none)'} → ${to ?? '(none)'}`, FIELD)),
    ...(more === 0 ? [] : lines(`and ${more} more fields`, FIELD)),
  ]),
  ...change.delete.flatMap((key) => lines(`delete  ${key}`)),
];

export const planText = (plan: WirePlan, paint: Paint): string => {
  const waves = table(
    plan.waves,
    [
      { title: 'WAVE', value: ({ name }) => name, flexible: true },
      { title: 'CLUSTERS', value: ({ size }) => String(size), align: 'right' },
      { title: 'AT ONCE', value: ({ maxConcurrent }) => String(maxConcurrent), align: 'right' },
      { title: 'FAILURE BUDGET', value: ({ failureBudget }) => String(failureBudget), align: 'right' },
      { title: 'SOAK', value: ({ soakSeconds }) => elapsed(soakSeconds * 1000), align: 'right' },
    ],
    paint,
  );
  const members = table(
    plan.members,
    [
      { title: 'CLUSTER', value: ({ cluster }) => cluster },
      { title: 'REGION', value: ({ region }) => region, flexible: true },
      { title: 'WAVE', value: ({ wave }) => wave, flexible: true },
      { title: 'OBJECTS', value: changesOf },
      { title: 'WHY THERE', value: ({ reason }) => reason, flexible: true, wrap: true },
    ],
    paint,
  );
  const objects = plan.changes.flatMap((change, index) => changeLines(change, index === 0));
  const SHOWN = 60;
  return [
    ...headLines(
      [
        [`${plan.application} → ${shortCommit(plan.revision.commit)}`, 'bold'],
        [`on ${plan.fleet} by ${plan.strategy}; nothing is changed by this`, null],
      ],
      paint,
      ' ',
    ),
    '',
    waves.trimEnd(),
    '',
    members.trimEnd(),
    ...(objects.length === 0
      ? ['', 'no object changes']
      : ['', paint('bold', 'CHANGED OBJECTS'), ...objects.slice(0, SHOWN)]),
    ...(objects.length > SHOWN ? [`  and ${objects.length - SHOWN} more: -o json shows all`] : []),
    '',
  ].join('\n');
};
