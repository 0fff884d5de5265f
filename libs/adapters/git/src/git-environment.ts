import type { RepositoryCredentials } from '@breakwater/application';
import { RepositoryError } from '@breakwater/application';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryAddress } from './repository-url.ts';

/** Taken over from the program's own environment: where programs are, and how to get out to the network. */
const INHERITED = ['PATH', 'TMPDIR', 'http_proxy', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];

/**
 * Settings for every Git process, also for the `upload-pack` that Git starts in a local repository (which is why they are in a
 * file and not on the command line). A repository's own settings are never read: the mirror is ours.
 */
export const gitConfig = (options: { trustedDirectories: readonly string[] }): string => {
  const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return [
    '[core]',
    '\thooksPath = /dev/null',
    '\tfsmonitor = false',
    '\tattributesFile = /dev/null',
    '\tsymlinks = true',
    '\tbigFileThreshold = 16m',
    '[fetch]',
    // Packs only: the size on disk is then the sum of a few files, and can be watched.
    '\tunpackLimit = 1',
    '\trecurseSubmodules = false',
    '[transfer]',
    '\tbundleURI = false',
    '[gc]',
    '\tauto = 0',
    '[maintenance]',
    '\tauto = false',
    '[pack]',
    '\tthreads = 1',
    '[http]',
    // A header with credentials would go along to wherever the server redirects.
    '\tfollowRedirects = false',
    '\tlowSpeedLimit = 100',
    '\tlowSpeedTime = 30',
    '[credential]',
    '\thelper =',
    ...(options.trustedDirectories.length === 0 ? [] : ['[safe]']),
    ...options.trustedDirectories.map((directory) => `\tdirectory = ${quote(directory)}`),
    '',
  ].join('\n');
};

export interface GitPlaces {
  /** The file with {@link gitConfig}. */
  readonly config: string;
  /** An empty directory. */
  readonly home: string;
  readonly caFile?: string | undefined;
}

/** The whole environment of a Git process that does not talk to a remote. */
export const localEnvironment = (places: GitPlaces): Record<string, string> => {
  const environment: Record<string, string> = {
    LC_ALL: 'C',
    HOME: places.home,
    XDG_CONFIG_HOME: places.home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: places.config,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_PROTOCOL_FROM_USER: '0',
  };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
};

export interface RemoteAccess {
  readonly environment: Record<string, string>;
  /** Removes the files with secrets. */
  dispose(): Promise<void>;
}

/** The environment for talking to a remote. Secrets are in environment variables or in files of mode 0600, never in arguments. */
export const remoteAccess = async (
  address: RepositoryAddress,
  credentials: RepositoryCredentials | null,
  places: GitPlaces & { scratch: string },
): Promise<RemoteAccess> => {
  const environment = localEnvironment(places);
  environment['GIT_ALLOW_PROTOCOL'] = address.protocol;
  if (places.caFile !== undefined) environment['GIT_SSL_CAINFO'] = places.caFile;
  if (address.protocol === 'ssh') return sshAccess(environment, credentials, places.scratch);
  if (credentials !== null && address.protocol !== 'file') {
    environment['GIT_CONFIG_COUNT'] = '1';
    environment['GIT_CONFIG_KEY_0'] = 'http.extraHeader';
    environment['GIT_CONFIG_VALUE_0'] = `Authorization: Basic ${basicCredentials(credentials)}`;
  }
  return { environment, dispose: async () => undefined };
};

const wrongKind = (expected: string): RepositoryError =>
  new RepositoryError('AuthFailed', `the credentials are of the wrong kind for the repository's address`, {
    remedy: `store ${expected} under the name that the repository gives`,
  });

const basicCredentials = (credentials: RepositoryCredentials): string => {
  if (credentials.type === 'ssh') throw wrongKind('a token, or a user name and password,');
  // GitHub, GitLab, Gitea and Bitbucket all take a token as the password; the user name is then ignored or must be this one.
  const pair =
    credentials.type === 'token'
      ? `x-access-token:${credentials.token}`
      : `${credentials.username}:${credentials.password}`;
  return Buffer.from(pair, 'utf8').toString('base64');
};

const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const sshAccess = async (
  environment: Record<string, string>,
  credentials: RepositoryCredentials | null,
  scratch: string,
): Promise<RemoteAccess> => {
  if (credentials === null || credentials.type !== 'ssh') throw wrongKind('a private key and known hosts');
  const directory = await mkdtemp(join(scratch, 'ssh-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const key = join(directory, 'key');
    const knownHosts = join(directory, 'known_hosts');
    await writeFile(key, `${credentials.privateKey.trimEnd()}\n`, { mode: 0o600 });
    await writeFile(knownHosts, `${credentials.knownHosts.trimEnd()}\n`, { mode: 0o600 });
    const options = {
      BatchMode: 'yes',
      StrictHostKeyChecking: 'yes',
      UserKnownHostsFile: knownHosts,
      GlobalKnownHostsFile: '/dev/null',
      UpdateHostKeys: 'no',
      IdentitiesOnly: 'yes',
      IdentityAgent: 'none',
      PreferredAuthentications: 'publickey',
      ForwardAgent: 'no',
      ClearAllForwardings: 'yes',
      ConnectTimeout: '15',
      ServerAliveInterval: '15',
      ServerAliveCountMax: '3',
    };
    const flags = Object.entries(options).map(([name, value]) => `-o ${shellQuote(`${name}=${value}`)}`);
    environment['GIT_SSH_COMMAND'] = ['ssh', '-F', '/dev/null', '-i', shellQuote(key), ...flags].join(' ');
    environment['GIT_SSH_VARIANT'] = 'ssh';
    return { environment, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
};
