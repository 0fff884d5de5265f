import { stringify } from 'yaml';
import { Ended } from './ended.ts';
import { endpointOf } from './kubeconfig.ts';

const pem = Buffer.from('-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n').toString('base64');
const config = (cluster: object = {}, user: object = {}): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'it',
    contexts: [{ name: 'it', context: { cluster: 'c', user: 'u' } }],
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://api.example.com:6443/base/', 'certificate-authority-data': pem, ...cluster },
      },
    ],
    users: [{ name: 'u', user: { token: 'secret-token', ...user } }],
  });

const refusal = (text: string, allow = {}): string => {
  try {
    endpointOf('eu', text, allow);
  } catch (error) {
    if (error instanceof Ended && error.end.kind === 'Refused') return `${error.end.reason}: ${error.end.message}`;
    throw error;
  }
  return 'accepted';
};

describe('kubeconfig', () => {
  it('gives where the cluster is and who we are', () => {
    expect(endpointOf('eu', config({ 'tls-server-name': 'kube' }), {})).toEqual({
      origin: 'https://api.example.com:6443',
      basePath: '/base',
      tls: { ca: expect.stringContaining('BEGIN CERTIFICATE') as string, servername: 'kube', rejectUnauthorized: true },
      headers: { authorization: 'Bearer secret-token' },
    });
  });

  it.each([
    ['exec', {}, { exec: { command: 'sh' } }, 'ExecNotAllowed'],
    ['auth-provider', {}, { 'auth-provider': { name: 'gcp' } }, 'ExecNotAllowed'],
    ['certificate-authority', { 'certificate-authority': '/etc/passwd' }, {}, 'FileReferenceNotAllowed'],
    ['client-certificate', {}, { 'client-certificate': '/x' }, 'FileReferenceNotAllowed'],
    ['client-key', {}, { 'client-key': '/x' }, 'FileReferenceNotAllowed'],
    ['tokenFile', {}, { tokenFile: '/x' }, 'FileReferenceNotAllowed'],
    ['token-file', {}, { token: undefined, 'token-file': '/etc/hostname' }, 'FileReferenceNotAllowed'],
    [
      'insecure-skip-tls-verify',
      { 'insecure-skip-tls-verify': true },
      {},
      'CredentialsRefused: insecure-skip-tls-verify',
    ],
    ['proxy-url', { 'proxy-url': 'http://p' }, {}, 'CredentialsRefused: proxy-url'],
    ['http', { server: 'http://api' }, {}, 'CredentialsRefused: plain http'],
    ['a header break', {}, { token: 'a\nb' }, 'CredentialsRefused: the token holds characters that no HTTP header'],
    ['no PEM', { 'certificate-authority-data': 'AAAA' }, {}, 'CredentialsRefused: certificate-authority is not PEM'],
  ])('refuses %s', (_what, cluster, user, begin) => {
    const said = refusal(config(cluster, user));
    expect(said.startsWith(begin)).toBe(true);
    expect(said).not.toContain('secret-token');
  });

  it('never reads a token file, allowed or not', () => {
    expect(
      refusal(config({}, { token: undefined, 'token-file': '/etc/hostname' }), { fileReferences: true }),
    ).toContain('FileReferenceNotAllowed');
  });

  it('does not mind a hostile user beside the one that is used', () => {
    const text = config().replace('users:', 'users:\n  - name: other\n    user:\n      token-file: /nowhere\n');
    expect(endpointOf('eu', text, {}).headers).toEqual({ authorization: 'Bearer secret-token' });
  });

  it.each([['not yaml: ['], ['[]'], ['current-context: x'], ['a: &a [*a]'], ['x'.repeat(1024 * 1024 + 1)]])(
    'refuses %.20s',
    (text) => {
      expect(refusal(text)).not.toBe('accepted');
    },
  );
});
