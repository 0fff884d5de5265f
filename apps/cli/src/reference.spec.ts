import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

it('docs/reference is what the command tree, the route table and the schemas make of it', async () => {
  const generator = join(import.meta.dirname, '../../../tools/generate-reference.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [generator, '--check']);
  expect(stdout).toBe('the reference is up to date\n');
}, 60_000);
