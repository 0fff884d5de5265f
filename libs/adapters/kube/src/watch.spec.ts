import type { ObjectKey } from '@breakwater/domain';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEFAULT_TIMEOUTS } from './cluster-connector.ts';
import { KubeApi } from './kube-api.ts';
import { Transport } from './transport.ts';
import { watchObjects } from './watch.ts';

describe('a watch', () => {
  let server: Server;
  let transport: Transport;
  const stopped = new AbortController();

  afterEach(async () => {
    stopped.abort();
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is given up when one of its lines does not end', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<number>();
    const chunk = 'x'.repeat(256 * 1024);
    server = createServer((incoming, response) => {
      if (!incoming.url?.includes('watch=true')) {
        response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }));
        return;
      }
      let sent = 0;
      const timer = setInterval(() => {
        sent += chunk.length;
        response.write(chunk);
      }, 1);
      response.on('close', () => {
        clearInterval(timer);
        resolve(sent);
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const endpoint = { origin, basePath: '', tls: { rejectUnauthorized: true }, headers: {} };
    transport = new Transport(endpoint, DEFAULT_TIMEOUTS, 'breakwater/test');
    const api = new KubeApi(transport, DEFAULT_TIMEOUTS);
    // Pods are watched for what may own some, without asking discovery.
    api.discovery.findAnyVersion = () => Promise.resolve(null);
    const keys = [{ key: 'apps/Deployment/shop/web' as ObjectKey, apiVersion: 'apps/v1' }];
    watchObjects(api, { keys, onChange: () => undefined, signal: stopped.signal });
    expect(await closed).toBeLessThan(64 * 1024 * 1024);
  }, 20_000);
});
