import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { Ended } from './ended.ts';
import { refused } from './ended.ts';
import type { Endpoint } from './transport.ts';

/** What an administrator lets kubeconfigs do; everything is off by default, because kubeconfigs are untrusted input. */
export interface KubeconfigAllowances {
  /** `insecure-skip-tls-verify: true` and plain `http://` servers. */
  readonly insecure?: boolean;
  /** Paths on Breakwater's machine: certificate-authority, client-certificate, client-key. */
  readonly fileReferences?: boolean;
}

const MAX_BYTES = 1024 * 1024;
const FILE_FIELDS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile', 'token-file'] as const;

type Reason = 'CredentialsRefused' | 'ExecNotAllowed' | 'FileReferenceNotAllowed';

const credentialsRefused = (name: string, message: string, reason: Reason = 'CredentialsRefused'): Ended =>
  refused(reason, `${message} (kubeconfig of cluster ${name})`);

type Entry = Readonly<Record<string, unknown>>;

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body of the entry of that name in `clusters`, `users` or `contexts`. */
const entryNamed = (list: unknown, name: unknown, body: string): Entry | null => {
  if (!Array.isArray(list)) return null;
  const found: unknown = list.find((item: unknown) => isEntry(item) && item['name'] === name);
  const inner = isEntry(found) ? found[body] : null;
  return isEntry(inner) ? inner : null;
};

/**
 * Refuses what would run a program or read a file of this machine. Done on the raw document, before client-node sees it: its
 * parser itself reads `token-file`.
 */
const refuseReferences = (name: string, cluster: Entry, user: Entry, allow: KubeconfigAllowances): void => {
  for (const plugin of ['exec', 'auth-provider']) {
    if (user[plugin] != null) {
      throw credentialsRefused(
        name,
        `users[].user.${plugin} runs a program; use a token or a client certificate`,
        'ExecNotAllowed',
      );
    }
  }
  for (const field of FILE_FIELDS) {
    const value = cluster[field] ?? user[field];
    const token = field === 'tokenFile' || field === 'token-file';
    if (value != null && (token || allow.fileReferences !== true)) {
      throw credentialsRefused(
        name,
        `${field} names a file; put its content inline (${field}-data, or token)`,
        'FileReferenceNotAllowed',
      );
    }
  }
};

const readDocument = (name: string, kubeconfig: string): Entry => {
  if (Buffer.byteLength(kubeconfig) > MAX_BYTES) throw credentialsRefused(name, `larger than ${MAX_BYTES} bytes`);
  try {
    const document: unknown = parse(kubeconfig, { maxAliasCount: 100, logLevel: 'silent' });
    if (isEntry(document)) return document;
  } catch {
    // The parser's message quotes the document, which is secret.
  }
  throw credentialsRefused(name, 'not a YAML mapping');
};

/** Parses a kubeconfig's current context. Throws {@link Ended} with one of the reasons above, never quoting a secret. */
export const endpointOf = (name: string, kubeconfig: string, allow: KubeconfigAllowances): Endpoint => {
  const document = readDocument(name, kubeconfig);
  const context = entryNamed(document['contexts'], document['current-context'], 'context');
  if (context === null) throw credentialsRefused(name, 'current-context names no context');
  const clusterEntry = entryNamed(document['clusters'], context['cluster'], 'cluster');
  if (clusterEntry === null) throw credentialsRefused(name, 'the context names no cluster');
  const userEntry = entryNamed(document['users'], context['user'], 'user') ?? {};
  refuseReferences(name, clusterEntry, userEntry, allow);
  if (clusterEntry['proxy-url'] != null) throw credentialsRefused(name, 'proxy-url is not supported');
  if (clusterEntry['insecure-skip-tls-verify'] === true && allow.insecure !== true) {
    throw credentialsRefused(name, 'insecure-skip-tls-verify is not allowed; put the certificate authority inline');
  }
  // Only the chosen context goes to client-node: a hostile entry beside it is never parsed.
  return endpointFrom(name, reduced(context, clusterEntry, userEntry), allow);
};

const reduced = (context: Entry, cluster: Entry, user: Entry): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'it', cluster }],
    users: [{ name: 'it', user }],
    contexts: [{ name: 'it', context: { ...context, cluster: 'it', user: 'it' } }],
    'current-context': 'it',
  });

const parseKubeconfig = (name: string, text: string): KubeConfig => {
  try {
    const config = new KubeConfig();
    config.loadFromString(text);
    return config;
  } catch {
    throw credentialsRefused(name, 'client-node cannot read it');
  }
};

const serverUrl = (name: string, server: string, allow: KubeconfigAllowances): URL => {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw credentialsRefused(name, 'clusters[].cluster.server is not an https URL');
  }
  if (url.protocol === 'http:' && allow.insecure !== true) throw credentialsRefused(name, 'plain http is not allowed');
  if (url.username !== '' || url.password !== '') throw credentialsRefused(name, 'credentials inside the server URL');
  return url;
};

const endpointFrom = (name: string, text: string, allow: KubeconfigAllowances): Endpoint => {
  const config = parseKubeconfig(name, text);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null || user === null) throw credentialsRefused(name, 'the context is not complete');
  const url = serverUrl(name, cluster.server, allow);
  const headers: Record<string, string> = {};
  if (user.token !== undefined && user.token !== '') headers['authorization'] = `Bearer ${user.token.trim()}`;
  else if (user.username !== undefined && user.username !== '') {
    headers['authorization'] = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  }
  if (user.impersonateUser != null) headers['impersonate-user'] = user.impersonateUser;
  if (Object.values(headers).some((value) => /[^\x20-\x7e]/.test(value))) {
    throw credentialsRefused(name, 'the token holds characters that no HTTP header may carry');
  }
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    tls: tlsOf(name, cluster, user, allow, url.hostname),
    headers,
  };
};

/** Only reached when an administrator allows file references. */
const readAllowedFile = (name: string, path: string, field: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw credentialsRefused(name, `${field}: the file cannot be read`);
  }
};

type ParsedCluster = NonNullable<ReturnType<KubeConfig['getCurrentCluster']>>;
type ParsedUser = NonNullable<ReturnType<KubeConfig['getCurrentUser']>>;

const tlsOf = (
  name: string,
  cluster: ParsedCluster,
  user: ParsedUser,
  allow: KubeconfigAllowances,
  hostname: string,
): Endpoint['tls'] => {
  const pem = (data: string | undefined, file: string | undefined, field: string): string | null => {
    const inline = data != null && data !== '';
    if (!inline && (file == null || file === '')) return null;
    const text = inline ? Buffer.from(data, 'base64').toString('utf8') : readAllowedFile(name, file ?? '', field);
    if (!text.includes('-----BEGIN ')) throw credentialsRefused(name, `${field} is not PEM`);
    return text;
  };
  const ca = pem(cluster.caData, cluster.caFile, 'certificate-authority');
  const cert = pem(user.certData, user.certFile, 'client-certificate');
  const key = pem(user.keyData, user.keyFile, 'client-key');
  const servername = cluster.tlsServerName ?? (/^[\d.]+$|:/.test(hostname) ? undefined : hostname);
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: !(cluster.skipTLSVerify === true && allow.insecure === true),
  };
};
