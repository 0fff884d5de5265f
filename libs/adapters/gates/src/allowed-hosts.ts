/** The setting that says where gates may look; named in evidence, so that its reader knows what to change. */
export const ALLOWED_HOSTS_SETTING = 'BREAKWATER_GATE_HOSTS';

interface AllowedHost {
  /** `prometheus.example.com`, or with `suffix` `.example.com`. */
  readonly host: string;
  readonly suffix: boolean;
  /** null: every port. */
  readonly port: string | null;
}

const PATTERN = /^(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)(?::([0-9]{1,5}))?$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

const parse = (text: string): AllowedHost => {
  const match = PATTERN.exec(text.trim().toLowerCase());
  const [, wildcard, host = '', , port] = match ?? [];
  if (match === null || (wildcard !== undefined && host.startsWith('['))) {
    throw new Error(`${ALLOWED_HOSTS_SETTING}: ${JSON.stringify(text)} is not host, host:port or *.suffix`);
  }
  return { host: wildcard === undefined ? host : `.${host}`, suffix: wildcard !== undefined, port: port ?? null };
};

/**
 * Where the hub may go because a document in Git says so: nowhere, unless the one who runs it allows it. `host` allows all its ports,
 * `host:port` one, `*.suffix` the names below it (not itself). Throws on an entry that it does not understand.
 */
export class AllowedHosts {
  readonly #allowed: readonly AllowedHost[];

  constructor(patterns: readonly string[]) {
    this.#allowed = patterns.map(parse);
  }

  /** Why this address is not asked; null: it may be. */
  refusal(url: URL): string | null {
    const standard = DEFAULT_PORTS[url.protocol];
    if (standard === undefined) return `${url.protocol.slice(0, 20)} is not an address for a gate: use https or http`;
    if (url.username !== '' || url.password !== '') return 'the address holds a password: use auth with a secret';
    const host = url.hostname.toLowerCase().replace(/\.$/, '');
    const port = url.port === '' ? standard : url.port;
    const fits = (entry: AllowedHost): boolean =>
      (entry.port === null || entry.port === port) && (entry.suffix ? host.endsWith(entry.host) : host === entry.host);
    return this.#allowed.some(fits)
      ? null
      : `${url.host} is not an allowed host: whoever runs the hub allows it with ${ALLOWED_HOSTS_SETTING}`;
  }
}
