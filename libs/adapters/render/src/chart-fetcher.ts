import type { ChartReference, RepositoryCredentialStore } from '@breakwater/application';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from './render-failure.ts';
import type { Limits } from './render-limits.ts';
import type { SandboxResult } from './sandbox.ts';

export interface ChartFetcherOptions {
  readonly cacheDir: string;
  readonly credentials?: RepositoryCredentialStore | undefined;
  /** Hosts (`name` or `name:port`) that charts may come from; absent: any by https. */
  readonly hosts?: readonly string[] | undefined;
  /** Hosts that may be asked without TLS. */
  readonly plainHttpHosts?: readonly string[] | undefined;
  readonly caFile?: string | undefined;
}

export interface FetchedChart {
  readonly archive: Buffer;
  /** `sha256:<hex>` of the archive. */
  readonly digest: string;
}

type Run = (args: readonly string[], environment: Record<string, string>, limits: Limits) => Promise<SandboxResult>;

const NAME = /^[a-z0-9](?:[\w.-]{0,127})$/i;
const VERSION = /^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Passed on to Helm while it fetches: how to get out to the network. */
const PROXIES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];

const invalid = (message: string, remedy: string, field: string): Error =>
  fail('InvalidRequest', message, remedy, { field });

/** Archives by address, name and version, each fetched once: what was rendered yesterday can be rendered again when its server is gone. */
export class ChartFetcher {
  private readonly options: ChartFetcherOptions;
  private readonly run: Run;
  private readonly fetching = new Map<string, Promise<FetchedChart>>();

  constructor(options: ChartFetcherOptions, run: Run) {
    this.options = options;
    this.run = run;
  }

  /** Throws RenderFailure: ChartUnavailable, ChartChanged, InvalidRequest. */
  async fetch(chart: ChartReference, limits: Limits): Promise<FetchedChart> {
    const address = this.check(chart);
    const key = createHash('sha256')
      .update(JSON.stringify([address, chart.name, chart.version]))
      .digest('hex');
    const pending = this.fetching.get(key) ?? this.cached(key, chart, limits);
    this.fetching.set(key, pending);
    try {
      const fetched = await pending;
      if (chart.digest === undefined || chart.digest === fetched.digest) return fetched;
    } finally {
      this.fetching.delete(key);
    }
    const remedy = 'the publisher replaced this version: look at what changed, and choose a version that stays';
    throw fail('ChartChanged', `${chart.name} ${chart.version} is not the archive that was recorded`, remedy, {
      field: 'chart.digest',
    });
  }

  private check(chart: ChartReference): string {
    const { repository, oci, name, version, digest } = chart;
    if (!NAME.test(name))
      throw invalid('the chart has no valid name', 'use letters, digits, dots and dashes', 'chart.name');
    if (!VERSION.test(version)) {
      throw invalid(`${JSON.stringify(version)} is not an exact version`, 'pin one, such as 1.2.3', 'chart.version');
    }
    if (digest !== undefined && !DIGEST.test(digest))
      throw invalid('the digest is not sha256:<hex>', 'leave it out', 'chart.digest');
    const [field, address] = oci === undefined ? ['chart.repository', repository] : ['chart.oci', oci];
    if (address === undefined || (oci !== undefined && repository !== undefined)) {
      throw invalid('a chart has either a repository or an oci address', 'name one of them', 'chart');
    }
    const url = URL.canParse(address) ? new URL(address) : null;
    const schemes = oci === undefined ? ['https:', 'http:'] : ['oci:'];
    if (url === null || !schemes.includes(url.protocol) || url.host === '') {
      throw invalid('the address of the chart is not valid', `it begins with ${schemes[0] ?? ''}//`, field);
    }
    if (url.username !== '' || url.password !== '') {
      throw invalid(
        'the address of the chart carries credentials',
        'put them in the credential store and name them',
        field,
      );
    }
    if (url.protocol === 'http:' && !this.plainHttp(url.host)) {
      throw invalid('charts by http are not allowed', 'use https, or let an administrator allow the host', field);
    }
    if (this.options.hosts !== undefined && !this.options.hosts.includes(url.host)) {
      throw invalid(`charts from ${url.host} are not allowed`, `use one of: ${this.options.hosts.join(', ')}`, field);
    }
    return address;
  }

  private plainHttp(host: string): boolean {
    return this.options.plainHttpHosts?.includes(host) === true;
  }

  private async cached(key: string, chart: ChartReference, limits: Limits): Promise<FetchedChart> {
    await mkdir(this.options.cacheDir, { recursive: true, mode: 0o700 });
    const file = join(this.options.cacheDir, `${key}.tgz`);
    const known = await readFile(file).catch(() => null);
    if (known !== null) return { archive: known, digest: digestOf(known) };
    const scratch = await mkdtemp(join(this.options.cacheDir, 'new-'));
    try {
      const archive = await this.pull(chart, scratch, limits);
      const fresh = join(scratch, 'fetched');
      await writeFile(fresh, archive);
      await rename(fresh, file);
      return { archive, digest: digestOf(archive) };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  private async pull(chart: ChartReference, scratch: string, limits: Limits): Promise<Buffer> {
    const { oci, repository = '', name, version } = chart;
    const source = oci === undefined ? [name, '--repo', repository] : [`${oci.replace(/\/+$/, '')}/${name}`];
    const plain = oci !== undefined && this.plainHttp(new URL(oci).host) ? ['--plain-http'] : [];
    const ca = this.options.caFile === undefined ? [] : ['--ca-file', this.options.caFile];
    const environment: Record<string, string> = {};
    for (const proxy of PROXIES) {
      const value = process.env[proxy];
      if (value !== undefined) environment[proxy] = value;
    }
    await this.signIn(chart, scratch, environment);
    const args = ['pull', ...source, '--version', version, '--destination', scratch, ...plain, ...ca];
    const { status, stderr } = await this.run(args, environment, limits);
    const file = (await readdir(scratch)).find((entry) => entry.endsWith('.tgz'));
    if (status === 0 && file !== undefined) return readFile(join(scratch, file));
    const message = stderr
      .replace(/^Error: /, '')
      .trim()
      .slice(0, 500);
    throw fail(
      'ChartUnavailable',
      `${name} ${version} could not be fetched: ${message}`,
      'check the address, name and version',
      {
        field: 'chart',
      },
    );
  }

  /** Helm reads credentials of chart repositories from its own file by address, and of registries from Docker's; never from arguments. */
  private async signIn(chart: ChartReference, scratch: string, environment: Record<string, string>): Promise<void> {
    if (chart.credentials === undefined) return;
    const credentials = await this.options.credentials?.repositoryCredentials(chart.credentials);
    if (credentials == null || credentials.type === 'ssh') {
      const remedy = 'store a user name and a password, or a token, under that name';
      throw fail(
        'ChartUnavailable',
        `there are no credentials ${JSON.stringify(chart.credentials)} for charts`,
        remedy,
        {
          field: 'chart.credentials',
        },
      );
    }
    const { username, password } =
      credentials.type === 'basic' ? credentials : { username: 'x-access-token', password: credentials.token };
    if (chart.oci === undefined) {
      const remedy = 'use a registry (oci), or a repository that needs no credentials';
      throw fail('NotSupportedYet', 'credentials for http chart repositories are not supported yet', remedy, {
        field: 'chart.credentials',
      });
    }
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    const config = join(scratch, 'registry.json');
    await writeFile(config, JSON.stringify({ auths: { [new URL(chart.oci).host]: { auth } } }), { mode: 0o600 });
    environment['HELM_REGISTRY_CONFIG'] = config;
  }
}

const digestOf = (archive: Buffer): string => `sha256:${createHash('sha256').update(archive).digest('hex')}`;
