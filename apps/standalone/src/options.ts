import { existingDirectory, loadConfiguration, type Settings, settings, UsageError } from '@breakwater/platform';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const HELP = `Breakwater in one process: Git sync, rollout worker and API, with its database inside.

  npm start -- --repo <url or path> [options]

  --repo URL|PATH       the fleet repository: a path, file://, https://, ssh:// or user@host:path
  --ref REF             branch, tag or commit that is followed                     (default main)
  --repo-credentials N  name of the repository's credentials in the directory: N.token, N.basic,
                        or N.ssh beside N.known_hosts
  --credentials DIR     directory with a NAME.kubeconfig for each cluster
  --data DIR            everything that is kept                                    (default ${defaultData()})
  --port N              of the API, on 127.0.0.1; 0 takes a free one               (default 8080)
  --host ADDRESS        another address to listen on; there is no TLS, put a proxy in front
  --poll DURATION       how often Git is asked, such as 30s or 5m                  (default 30s)
  --gate-hosts LIST     hosts that gates may talk to, with commas between; none by default
  --gate-secrets DIR    directory with a NAME.token for each secret that gates use
  --public-url URL      address of the API for servers that gates ask and that call back; https
  --log-level LEVEL     fatal, error, warn, info, debug or silent                  (default info)
  --help

Log lines (JSON) go to standard output, text for people to standard error. DATABASE_URL and REDIS_URL name servers of
your own instead of the ones inside; every option can be given by environment as well (BREAKWATER_REPOSITORY,
BREAKWATER_REF, BREAKWATER_DATA, …). SIGTERM or Ctrl-C stops in order, and no rollout ends by it.
`;

/** Root cannot run PostgreSQL, and the user that it then runs as cannot reach root's home. */
function defaultData(): string {
  if (process.getuid?.() === 0) return '/var/lib/breakwater';
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'breakwater');
}

export interface StandaloneOptions {
  readonly config: Readonly<Settings>;
  readonly repository: string;
  readonly data: string;
}

const FLAGS = {
  repo: 'BREAKWATER_REPOSITORY',
  ref: 'BREAKWATER_REF',
  'repo-credentials': 'BREAKWATER_REPOSITORY_CREDENTIALS',
  credentials: 'BREAKWATER_CREDENTIALS',
  data: 'BREAKWATER_DATA',
  port: 'BREAKWATER_PORT',
  host: 'BREAKWATER_HOST',
  poll: 'BREAKWATER_POLL',
  'gate-hosts': 'BREAKWATER_GATE_HOSTS',
  'gate-secrets': 'BREAKWATER_GATE_SECRETS',
  'public-url': 'BREAKWATER_PUBLIC_URL',
  'log-level': 'BREAKWATER_LOG_LEVEL',
} as const;

/**
 * Options win over the environment. Null: help was asked for. Paths are taken from where the user called npm.
 * @throws {UsageError | ConfigurationError}
 */
export const readOptions = (
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): StandaloneOptions | null => {
  const values = parse(args);
  if (values['help'] === true) return null;
  const given = Object.entries(FLAGS).flatMap(([flag, key]) => {
    const value = values[flag];
    return typeof value === 'string' ? [[key, value]] : [];
  });
  const config = loadConfiguration(settings, { ...environment, ...Object.fromEntries(given) });
  const from = environment['INIT_CWD'] ?? process.cwd();
  if (config.BREAKWATER_REPOSITORY === undefined) {
    throw new UsageError('--repo is missing: the fleet repository, a path or an address (--help says more)');
  }
  const { BREAKWATER_CREDENTIALS: credentials, BREAKWATER_GATE_SECRETS: secrets } = config;
  return {
    config: {
      ...config,
      ...(credentials === undefined
        ? {}
        : { BREAKWATER_CREDENTIALS: existingDirectory('--credentials', resolve(from, credentials)) }),
      ...(secrets === undefined
        ? {}
        : { BREAKWATER_GATE_SECRETS: existingDirectory('--gate-secrets', resolve(from, secrets)) }),
    },
    repository: isAddress(config.BREAKWATER_REPOSITORY)
      ? config.BREAKWATER_REPOSITORY
      : resolve(from, config.BREAKWATER_REPOSITORY),
    data: resolve(from, config.BREAKWATER_DATA ?? defaultData()),
  };
};

/** `scheme://…`, or the short form of ssh. */
const isAddress = (text: string): boolean => /^[a-z][\w+.-]*:/i.test(text) || /^[^/]+@[^/]+:/.test(text);

const parse = (args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> => {
  const text = { type: 'string' } as const;
  const flags = Object.fromEntries(Object.keys(FLAGS).map((flag) => [flag, text]));
  try {
    const options = { ...flags, help: { type: 'boolean', short: 'h' } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} (--help says more)`);
  }
};
