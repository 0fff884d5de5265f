import type { RepositoryCredentials, RepositoryError, RepositoryMirror } from '@breakwater/application';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { createServer } from 'node:https';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { GitMirrorsOptions } from './git-mirrors.ts';
import { GitMirrors } from './git-mirrors.ts';
import { FixtureRepository } from './git-repository.fixture.ts';

const failure = async (promise: Promise<unknown>): Promise<RepositoryError> => {
  try {
    await promise;
  } catch (error) {
    return error as RepositoryError;
  }
  throw new Error('it did not fail');
};

const listen = (server: Server): Promise<number> =>
  new Promise((done) => server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)));

/** Git's own CGI program behind Node's server. */
const serveGit = (root: string, request: IncomingMessage, response: ServerResponse): void => {
  const url = new URL(request.url ?? '/', 'https://localhost');
  const cgi = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(cgi.stdin);
  cgi.stdin.on('error', () => undefined);
  const chunks: Buffer[] = [];
  cgi.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  cgi.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    for (const line of output.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(': ');
      if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
      else if (name !== '') response.setHeader(name, value);
    }
    response.end(output.subarray(end + 4));
  });
};

const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });

describe('a repository by https', () => {
  let origin: FixtureRepository;
  let server: ReturnType<typeof createServer>;
  let port: number;
  let seen: { authorizations: Set<string>; commands: string[]; requests: number };
  let answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  const secret = 'geheim-7d1f';
  const pair = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64');

  beforeAll(async () => {
    origin = new FixtureRepository();
    const key = join(origin.root, 'key.pem');
    const cert = join(origin.root, 'cert.pem');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
    execFileSync('openssl', [...make, ...subject], { stdio: 'ignore' });
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      seen.requests += 1;
      seen.commands.push(...commandLines());
      if (request.headers.authorization !== undefined) seen.authorizations.add(request.headers.authorization);
      if (answer?.(request, response) === true) return;
      const good = [`Basic ${pair('robot', secret)}`, `Basic ${pair('x-access-token', secret)}`];
      if (!good.includes(request.headers.authorization ?? '')) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
        return;
      }
      serveGit(origin.root, request, response);
    });
    port = await listen(server);
  });
  beforeEach(() => {
    seen = { authorizations: new Set(), commands: [], requests: 0 };
    answer = null;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    origin.remove();
  });

  let count = 0;
  const open = (
    credentials: RepositoryCredentials | null,
    options: Partial<GitMirrorsOptions> = {},
    url = `https://localhost:${port}/origin/.git`,
  ): Promise<RepositoryMirror> =>
    new GitMirrors({
      directory: join(origin.root, `data-${count++}`),
      caFile: join(origin.root, 'cert.pem'),
      credentials: { repositoryCredentials: async (name) => (name === 'robot' ? credentials : null) },
      ...options,
    }).open({ name: 'fleet', url, ref: 'main', credentials: 'robot' });

  it('is read with a user name and a password, and with a token; neither is ever on a command line', async () => {
    const commit = origin.write('a', '1').commit();
    for (const credentials of [
      { type: 'basic', username: 'robot', password: secret },
      { type: 'token', token: secret },
    ] as const) {
      expect((await (await open(credentials)).fetch()).commit).toBe(commit);
    }
    expect(seen.authorizations.size).toBe(2);
    const shown = seen.commands.join('\n');
    expect(shown).toContain('fetch');
    for (const value of [secret, pair('robot', secret), pair('x-access-token', secret)])
      expect(shown).not.toContain(value);
  });

  it('leaves no secret in the files of the mirror', async () => {
    origin.write('a', '1').commit();
    await (await open({ type: 'token', token: secret })).fetch();
    const directory = join(origin.root, `data-${count - 1}`);
    for (const name of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const content = readFileSync(join(name.parentPath, name.name), 'latin1');
      expect([name.name, content.includes(secret), content.includes(pair('x-access-token', secret))]).toEqual([
        name.name,
        false,
        false,
      ]);
    }
  });

  it('says that the credentials are refused, without showing them', async () => {
    const error = await failure((await open({ type: 'token', token: 'falsch-99' })).fetch());
    expect([error.code, error.disposition]).toEqual(['AuthFailed', 'fix']);
    expect(`${error.message} ${error.remedy} ${String(error.cause)} ${error.stack}`).not.toMatch(
      new RegExp(`falsch-99|${pair('x-access-token', 'falsch-99')}`),
    );
  });

  it('says that credentials are missing', async () => {
    expect((await failure((await open(null)).fetch())).message).toContain('"robot"');
  });

  it('says that ssh credentials do not fit', async () => {
    const error = await failure((await open({ type: 'ssh', privateKey: 'x', knownHosts: 'y' })).fetch());
    expect([error.code, seen.requests]).toEqual(['AuthFailed', 0]);
  });

  it('does not carry credentials to where the server redirects', async () => {
    let leaked = false;
    answer = (request, response) => {
      leaked ||= request.url?.startsWith('/elsewhere') === true;
      response.writeHead(302, { location: `https://127.0.0.1:${port}/elsewhere${request.url}` }).end();
      return true;
    };
    const error = await failure((await open({ type: 'token', token: secret })).fetch());
    expect([error.code, leaked]).toEqual(['NotAllowed', false]);
  });

  it('does not trust an unknown authority', async () => {
    const error = await failure((await open({ type: 'token', token: secret }, { caFile: undefined })).fetch());
    expect([error.code, seen.requests]).toEqual(['Unreachable', 0]);
    expect(error.message).toContain('certificate');
  });

  it.each([
    [404, 'Unreachable', 'retry'],
    [403, 'AuthFailed', 'fix'],
    [500, 'Unreachable', 'retry'],
    [503, 'Unreachable', 'retry'],
  ])('understands an answer of %d', async (status, code, disposition) => {
    answer = (_, response) => {
      response.writeHead(status).end();
      return true;
    };
    const error = await failure((await open({ type: 'token', token: secret })).fetch());
    expect([error.code, error.disposition]).toEqual([code, disposition]);
  });

  it('gives up on a server that never answers', async () => {
    const sockets = new Set<{ destroy(): void }>();
    const silent = createTcpServer((socket) => sockets.add(socket));
    const silentPort = await listen(silent);
    const mirror = await open(
      { type: 'token', token: secret },
      { timeoutMs: 1500 },
      `https://localhost:${silentPort}/x`,
    );
    const error = await failure(mirror.fetch());
    expect([error.code, error.disposition]).toEqual(['TimedOut', 'retry']);
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => silent.close(done));
  });

  it('says that nobody listens', async () => {
    const mirror = await open({ type: 'token', token: secret }, {}, 'https://localhost:1/x');
    expect((await failure(mirror.fetch())).code).toBe('Unreachable');
  });
});

const sshd = [process.env['SSHD'] ?? '', '/usr/sbin/sshd'].find((path) => path !== '' && existsSync(path));
if (sshd === undefined) console.warn('skipped: repositories by ssh (no sshd; install openssh-server or set SSHD)');

(sshd === undefined ? describe.skip : describe)('a repository by ssh', () => {
  let origin: FixtureRepository;
  let port: number;
  let daemon: ReturnType<typeof spawn>;
  const file = (name: string): string => join(origin.root, name);

  beforeAll(async () => {
    origin = new FixtureRepository();
    for (const name of ['host', 'user', 'other']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
    }
    const probe = createTcpServer();
    port = await listen(probe);
    await new Promise((done) => probe.close(done));
    writeFileSync(file('authorized'), readFileSync(file('user.pub')));
    const lines = ['ListenAddress 127.0.0.1', `Port ${port}`, `HostKey ${file('host')}`, 'StrictModes no', 'UsePAM no'];
    writeFileSync(
      file('sshd_config'),
      [...lines, `AuthorizedKeysFile ${file('authorized')}`, 'PidFile none', 'PasswordAuthentication no', ''].join(
        '\n',
      ),
    );
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    daemon = spawn(sshd ?? '', ['-D', '-e', '-f', file('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((done, fail) => {
      let log = '';
      daemon.stderr?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('Server listening')) done();
      });
      daemon.once('exit', () => fail(new Error(log)));
    });
  });
  afterAll(async () => {
    const gone = new Promise((done) => daemon.once('exit', done));
    daemon.kill();
    await gone;
    origin.remove();
  });

  let count = 0;
  const open = (key: string, host: string, short = false): Promise<RepositoryMirror> => {
    const user = userInfo().username;
    const credentials: RepositoryCredentials = {
      type: 'ssh',
      privateKey: readFileSync(file(key), 'utf8'),
      knownHosts: `[127.0.0.1]:${port} ${readFileSync(file(`${host}.pub`), 'utf8')}`,
    };
    return new GitMirrors({
      directory: file(`data-${count++}`),
      credentials: { repositoryCredentials: async () => credentials },
    }).open({
      name: 'fleet',
      url: short ? `${user}@127.0.0.1:${origin.dir}` : `ssh://${user}@127.0.0.1:${port}${origin.dir}`,
      ref: 'main',
      credentials: 'deploy',
    });
  };

  it('is read with the key and the known host that the credentials hold, and leaves no key behind', async () => {
    const commit = origin.write('a', '1').commit();
    expect((await (await open('user', 'host')).fetch()).commit).toBe(commit);
    const left = readdirSync(file(`data-${count - 1}`), { recursive: true }).map(String);
    expect(left.filter((name) => /scratch\/./.test(name))).toEqual([]);
  });

  it('is refused when its host key is another', async () => {
    const error = await failure((await open('user', 'other')).fetch());
    expect([error.code, error.disposition]).toEqual(['HostKeyUnknown', 'fix']);
  });

  it('refuses a key that it does not know', async () => {
    expect((await failure((await open('other', 'host')).fetch())).code).toBe('AuthFailed');
  });

  it('takes the short form of the address', async () => {
    // Port 22 of this machine is not ours: only that the address goes to ssh, and strictly, is seen.
    expect(['HostKeyUnknown', 'Unreachable']).toContain(
      (await failure((await open('user', 'host', true)).fetch())).code,
    );
  });
});
