import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { bundleCli } from './testing/cli-process.ts';
import type { CliProgram } from './testing/cli-process.ts';

jest.setTimeout(60_000);

const FLEET = `apiVersion: breakwater.dev/v1alpha1
kind: Cluster
metadata: { name: eu-west-1a }
spec: { region: eu-west }
---
apiVersion: breakwater.dev/v1alpha1
kind: Fleet
metadata: { name: shop }
spec: { clusters: { all: true }, strategy: careful }
---
apiVersion: breakwater.dev/v1alpha1
kind: Strategy
metadata: { name: careful }
spec: { waves: [{ name: all }] }
---
apiVersion: breakwater.dev/v1alpha1
kind: Application
metadata: { name: web }
spec: { fleet: shop, namespace: web, source: { path: web } }
`;

let cli: CliProgram;
let directory: string;
beforeAll(async () => {
  cli = await bundleCli();
});
afterAll(() => cli.remove());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'validate-'));
  mkdirSync(join(directory, 'web'));
  writeFileSync(join(directory, 'fleet.yaml'), FLEET);
  writeFileSync(join(directory, 'web', 'web.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: { nam: web }\n');
});
afterEach(() => rmSync(directory, { recursive: true }));

it('renders what the documents name, and shows what does not render in the shape of a repository’s errors', async () => {
  const { status, out } = await cli.run(['validate', directory, '-o', 'json']);
  expect(status).toBe(1);
  const { errors, renderErrors } = JSON.parse(out) as { errors: unknown[]; renderErrors: object[] };
  expect(errors).toEqual([]);
  expect(renderErrors).toEqual([
    {
      file: 'web/web.yaml',
      line: expect.any(Number),
      column: expect.any(Number),
      kind: 'Application',
      name: 'web',
      field: expect.any(String),
      reason: expect.stringMatching(/^[A-Z]/),
      message: expect.stringMatching(/\S/),
      remedy: expect.stringMatching(/\S/),
      blocks: 'application/web',
    },
  ]);
});

it('--no-render leaves that out', async () => {
  expect(await cli.run(['validate', directory, '--no-render'])).toMatchObject({
    status: 0,
    out: '4 documents, no errors\n',
  });
});
