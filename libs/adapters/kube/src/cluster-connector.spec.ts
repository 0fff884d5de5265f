import { CredentialUnreadable, type CredentialStore } from '@breakwater/application';
import { createClusterConnector } from './cluster-connector.ts';

const connect = (read: CredentialStore['read']): Promise<unknown> =>
  createClusterConnector({ credentials: { read }, userAgent: 'breakwater/test' }).connect('eu');

describe('credentials of a cluster', () => {
  it('that are not there, or that nobody can read, refuse the cluster', async () => {
    expect(await connect(() => Promise.resolve(null))).toMatchObject({
      kind: 'Refused',
      reason: 'CredentialsNotFound',
    });
    expect(await connect(() => Promise.reject(new CredentialUnreadable('EACCES')))).toMatchObject({
      kind: 'Refused',
      reason: 'CredentialsRefused',
      message: 'the credential of eu cannot be read: EACCES',
    });
  });

  it('say nothing of the cluster while their store is away', async () => {
    const away = Object.assign(new Error('the database is starting up'), { code: '57P03' });
    await expect(connect(() => Promise.reject(away))).rejects.toBe(away);
  });

  it('that would run a program refuse it by that name', async () => {
    const kubeconfig = JSON.stringify({
      'current-context': 'it',
      contexts: [{ name: 'it', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://api.example.com' } }],
      users: [{ name: 'u', user: { exec: { command: 'sh' } } }],
    });
    expect(await connect(() => Promise.resolve({ kubeconfig, version: '1' }))).toMatchObject({
      kind: 'Refused',
      reason: 'ExecNotAllowed',
    });
  });
});
