import { jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

jest.setTimeout(60_000);

const root = join(import.meta.dirname, '../../..');
const bin = join(root, 'bin/breakwater.mjs');
const pinned = join(root, 'node_modules/.bin/node');
const OTHER_NODE = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.1.0' } })";

describe('The name that it is called by', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'breakwater-name-'));
    for (const name of ['breakwater', 'kubectl-breakwater']) symlinkSync(bin, join(directory, name));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const usage = (name: string, flags: readonly string[]): string => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...flags, join(directory, name), 'fleet', 'list', '--help'],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      },
    );
    return stdout + stderr;
  };
  // npm brings a Node for Linux only; elsewhere there is none to go on under.
  const underAnother = existsSync(pinned) ? it : it.skip;
  if (underAnother === it.skip)
    process.stderr.write('going on under the pinned Node is not tested: npm has brought none\n');

  const cases: readonly [string, string][] = [
    ['breakwater', 'breakwater'],
    ['kubectl-breakwater', 'kubectl breakwater'],
  ];
  it.each(cases)('%s is shown as %s', (name, shown) => {
    const text = usage(name, []);
    expect(text).toContain(`Usage: ${shown} fleet list`);
    expect(text).toContain(`\n  ${shown} fleet list`);
  });

  underAnother.each(cases)('%s is shown as %s, also when it goes on under the pinned Node', (name, shown) => {
    expect(usage(name, ['--import', `data:text/javascript,${encodeURIComponent(OTHER_NODE)}`])).toContain(
      `Usage: ${shown} fleet list`,
    );
  });
});
