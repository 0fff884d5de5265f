import { jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configMap, RenderFixture } from './render.fixture.ts';
import { tar } from './tar.fixture.ts';

jest.setTimeout(60_000);

const sha256 = (content: string | Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

const packageChart = (value: string): Buffer =>
  gzipSync(
    tar({
      'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.2.3\n',
      'web/templates/a.yaml': configMap('a', `${value}-{{ .Values.color }}`),
    }),
  );

describe('charts from elsewhere', () => {
  let app: RenderFixture;
  let server: Server;
  let host: string;
  let archive: Buffer;
  let requests: string[];
  let handle: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    archive = packageChart('one');
    requests = [];
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      handle(request, response);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    app = new RenderFixture({ plainHttpHosts: [host] });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    app.remove();
  });

  describe('a chart repository', () => {
    beforeEach(() => {
      handle = (request, response) => {
        if (request.url === '/index.yaml') {
          const entry = `{apiVersion: v2, name: web, version: 1.2.3, urls: [web-1.2.3.tgz]}`;
          response.end(`apiVersion: v1\nentries:\n  web:\n  - ${entry}\n`);
        } else if (request.url === '/web-1.2.3.tgz') response.end(archive);
        else response.writeHead(404).end();
      };
    });
    const source = (more: object = {}) => ({
      dir: undefined,
      path: undefined,
      values: { color: 'blue' },
      chart: { repository: `http://${host}`, name: 'web', version: '1.2.3', ...more },
    });

    it('is asked once for a version; the archive is recorded by its digest', async () => {
      const first = await app.bundle(source());
      expect(first.objects[0]!['data']).toEqual({ value: 'one-blue' });
      expect(first.chart).toEqual({ name: 'web', version: '1.2.3', digest: sha256(archive) });
      expect(requests).toEqual(['GET /index.yaml', 'GET /web-1.2.3.tgz']);
      const again = await app.bundle(source({ digest: first.chart!.digest }));
      expect(again.digest).toBe(first.digest);
      expect(requests).toHaveLength(2);
    });

    it('may not replace a version behind our back', async () => {
      const { chart } = await app.bundle(source());
      archive = packageChart('two');
      const elsewhere = new RenderFixture({ plainHttpHosts: [host] });
      const error = await elsewhere.error(source({ digest: chart!.digest }));
      elsewhere.remove();
      expect([error.code, error.field]).toEqual(['ChartChanged', 'chart.digest']);
    });

    it('is named when it lacks the version, is broken, or cannot be reached', async () => {
      expect((await app.error(source({ version: '9.9.9' }))).code).toBe('ChartUnavailable');
      archive = Buffer.from('no archive');
      expect((await app.error(source())).code).toBe('ChartUnavailable');
      handle = (_, response) => response.writeHead(503).end();
      const other = new RenderFixture({ plainHttpHosts: [host] });
      expect((await other.error(source())).code).toBe('ChartUnavailable');
      other.remove();
    });

    it('takes values files of the fleet repository', async () => {
      app.write({ 'app/v.yaml': 'color: green\n' });
      const { objects } = await app.bundle({
        ...source(),
        dir: app.dir,
        path: 'app',
        values: {},
        helm: { valuesFiles: ['v.yaml'] },
      });
      expect(objects[0]!['data']).toEqual({ value: 'one-green' });
    });

    it.each([
      ['a range', { version: '^1.2.0' }],
      ['no version', { version: '' }],
      ['latest', { version: 'latest' }],
      ['a name that is an option', { name: '--devel' }],
      ['a name that is a path', { name: '../web' }],
      ['credentials in the address', { repository: 'https://a:b@example.org' }],
      ['http elsewhere', { repository: 'http://example.org' }],
      ['a file', { repository: 'file:///etc' }],
      ['an option', { repository: '--x' }],
      ['both kinds of address', { oci: 'oci://example.org/charts' }],
    ])('is refused before anything is asked with %s', async (_, more) => {
      expect((await app.error(source(more))).code).toBe('InvalidRequest');
      expect(requests).toEqual([]);
    });

    it('is refused where its host is not on the list', async () => {
      const strict = new RenderFixture({ plainHttpHosts: [host], hosts: ['charts.example.org'] });
      expect((await strict.error(source())).message).toContain(host);
      strict.remove();
      expect(requests).toEqual([]);
    });
  });

  describe('a registry', () => {
    const secret = Buffer.from('robot:geheim').toString('base64');
    let guarded: boolean;
    beforeEach(() => {
      guarded = false;
      const config = Buffer.from('{"name":"web","version":"1.2.3","apiVersion":"v2"}');
      handle = (request, response) => {
        if (guarded && request.headers.authorization !== `Basic ${secret}`) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
          return;
        }
        const layer = {
          mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
          digest: sha256(archive),
          size: archive.length,
        };
        const manifest = JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          config: {
            mediaType: 'application/vnd.cncf.helm.config.v1+json',
            digest: sha256(config),
            size: config.length,
          },
          layers: [layer],
        });
        const answers: Record<string, [string | Buffer, string]> = {
          '/v2/': ['{}', 'application/json'],
          '/v2/charts/web/manifests/1.2.3': [manifest, 'application/vnd.oci.image.manifest.v1+json'],
          [`/v2/charts/web/manifests/${sha256(manifest)}`]: [manifest, 'application/vnd.oci.image.manifest.v1+json'],
          [`/v2/charts/web/blobs/${sha256(config)}`]: [config, 'application/octet-stream'],
          [`/v2/charts/web/blobs/${sha256(archive)}`]: [archive, 'application/octet-stream'],
        };
        const answer = answers[request.url ?? ''];
        if (answer === undefined) return void response.writeHead(404).end();
        const [body, type] = answer;
        response.writeHead(200, {
          'content-type': type,
          'content-length': body.length,
          'docker-content-digest': sha256(body),
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      };
    });
    const source = (more: object = {}) => ({
      dir: undefined,
      path: undefined,
      values: { color: 'blue' },
      chart: { oci: `oci://${host}/charts`, name: 'web', version: '1.2.3', ...more },
    });

    it('gives a chart by its version, recorded by its digest', async () => {
      const { objects, chart } = await app.bundle(source());
      expect(objects[0]!['data']).toEqual({ value: 'one-blue' });
      expect(chart!.digest).toBe(sha256(archive));
      const asked = requests.length;
      await app.bundle(source());
      expect(requests).toHaveLength(asked);
    });

    it('is named when it lacks the version', async () => {
      expect((await app.error(source({ version: '9.9.9' }))).code).toBe('ChartUnavailable');
    });

    it('is signed in to with credentials by reference, which stay nowhere', async () => {
      guarded = true;
      expect((await app.error(source())).code).toBe('ChartUnavailable');
      expect((await app.error(source({ credentials: 'nope' }))).message).toContain('"nope"');
      const signed = new RenderFixture({
        plainHttpHosts: [host],
        credentials: { repositoryCredentials: async () => ({ type: 'basic', username: 'robot', password: 'geheim' }) },
      });
      expect((await signed.bundle(source({ credentials: 'robot' }))).objects).toHaveLength(1);
      for (const entry of readdirSync(signed.root, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) expect(readFileSync(join(entry.parentPath, entry.name), 'latin1')).not.toContain(secret);
      }
      signed.remove();
    });
  });
});
