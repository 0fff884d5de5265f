import type { RepositoryRecord } from '@breakwater/application';
import type { SyncError } from '@breakwater/application';
import { formatDuration } from '@breakwater/domain';
import { scrub } from '@breakwater/platform';
import type { StandaloneOptions } from './options.ts';
import type { Standalone } from './standalone.ts';

const TOKENS = {
  written: 'written just now: the first administrator',
  valid: 'the first administrator',
  other: 'not written: there are tokens already, and the file holds none of them',
} as const;

export const startedText = ({ config, repository, data }: StandaloneOptions, standalone: Standalone): string => {
  const rows = [
    ['API', standalone.url],
    ['token', `${standalone.tokenFile} (${TOKENS[standalone.token]})`],
    [
      'repository',
      `${scrub(repository)} at ${config.BREAKWATER_REF}, asked every ${formatDuration(config.BREAKWATER_POLL)}`,
    ],
    ['clusters', config.BREAKWATER_CREDENTIALS ?? 'no --credentials: no cluster can be reached'],
    ['record', config.DATABASE_URL === undefined ? `PostgreSQL in ${data}/postgres` : 'PostgreSQL of DATABASE_URL'],
  ];
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(11)} ${value}\n`);
  const local = config.BREAKWATER_PORT === 8080 ? '' : `export BREAKWATER_URL=${standalone.url}\n  `;
  return `${lines.join('')}
  ${local}export BREAKWATER_TOKEN=$(cat ${standalone.tokenFile})
  npx breakwater application list

`;
};

const ERRORS_SHOWN = 10;

export const syncedText = (repository: RepositoryRecord | null): string => {
  if (repository === null) return '';
  const commit = repository.observed?.commit.slice(0, 12);
  const head = `repository ${repository.state}${commit === undefined ? '' : ` at ${commit}`}: ${repository.message}\n`;
  const errors = (repository.errors as readonly SyncError[])
    .slice(0, ERRORS_SHOWN)
    .map(({ file, line, column, kind, name, field, message, remedy }) => {
      const where = file === '' ? '' : `${file}:${line}:${column} ${kind}/${name} ${field}: `;
      return `  ${where}${message}; ${remedy}\n`;
    });
  const more = repository.errors.length - errors.length;
  return scrub(`${head}${errors.join('')}${more > 0 ? `  and ${more} more\n` : ''}`);
};
