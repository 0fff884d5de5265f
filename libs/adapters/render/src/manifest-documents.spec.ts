import { jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifest } from './manifest-documents.ts';
import { withDefaults } from './render-limits.ts';
import { locateTools } from './tool-binaries.ts';

jest.setTimeout(60_000);

/** Everything that YAML 1.1 and 1.2 readers are known to disagree about. */
const SCALARS = [
  ...[
    'y',
    'Y',
    'n',
    'N',
    'yes',
    'Yes',
    'YES',
    'yEs',
    'no',
    'on',
    'On',
    'oN',
    'off',
    'OFF',
    'true',
    'TRUE',
    'tRue',
    'False',
  ],
  ...['~', 'null', 'Null', 'NULL', 'nULL', '""', "''", 'nil', '=', '"yes"', "'1'"],
  ...[
    '0',
    '-0',
    '+1',
    '007',
    '0644',
    '08',
    '0o17',
    '0o9',
    '0x1F',
    '0X1f',
    '-0x1f',
    '0b101',
    '1_000',
    '_1',
    '1__0',
    '12e03',
  ],
  ...['1.0', '.5', '1.', '+.5', '-1.5e3', '1e3', '1E+3', '1_0.5', '1e', 'e3', '.', '+', '1.2.3', '0.1e1', '012e3'],
  ...['12:30', '12:30:45', '190:20:30', '2024-01-01', '2001-12-14t21:59:43.10-05:00', '9007199254740991'],
  ...['!!str 5', '!!int 5', '!!float 5', '0x', '0b2', '1,000', '10Mi', '500m', '1k', 'v1'],
];

describe('scalars of a manifest', () => {
  it('mean what they mean to kubectl, as values and as keys', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'breakwater-scalars-'));
    const values = SCALARS.map((scalar, index) => `  k${index}: ${scalar}\n`);
    const keys = SCALARS.filter((scalar) => !/^(?:!!.*|~|null|Null|NULL)$/.test(scalar)).map(
      (scalar) => `  - {${scalar}: 1}\n`,
    );
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n${values.join('')}keys:\n${keys.join('')}`;
    writeFileSync(join(directory, 'a.yaml'), text);
    const { kubectl } = await locateTools({});
    const args = ['annotate', '--local', '-f', join(directory, 'a.yaml'), '-o', 'json', 'x=y'];
    const env = { PATH: '/usr/bin:/bin', HOME: directory, KUBECONFIG: '/dev/null' };
    const theirs = JSON.parse(execFileSync(kubectl, args, { encoding: 'utf8', env })) as Record<string, unknown>;
    rmSync(directory, { recursive: true, force: true });
    const [document] = readManifest(text, 'a.yaml', withDefaults(undefined));
    const ours = JSON.parse(JSON.stringify(document?.value)) as Record<string, unknown>;
    const named = (data: unknown): [string | undefined, unknown][] =>
      Object.entries(data as object).map(([key, value]) => [SCALARS[Number(key.slice(1))], value]);
    expect(new Map(named(ours['data']))).toEqual(new Map(named(theirs['data'])));
    expect(ours['keys']).toEqual(theirs['keys']);
  });
});
