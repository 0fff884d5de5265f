import { readFileSync } from 'node:fs';
import { VERSION } from './version.ts';

it('the programs say the version that package.json has', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(VERSION).toBe(manifest.version);
});
