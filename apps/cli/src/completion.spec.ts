import { jest } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleCli } from './testing/cli-process.ts';
import type { CliProgram } from './testing/cli-process.ts';

jest.setTimeout(60_000);

const isInstalled = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined;

/** Where a shell is missing its test is skipped, and says so. */
const where = (shell: string): typeof it | typeof it.skip => {
  if (shell === 'bash' || isInstalled(shell)) return it;
  process.stderr.write(`completion of ${shell} is not tested: ${shell} is not installed here\n`);
  return it.skip;
};

/** What is typed, and what stands there after Tab. */
const TYPED = [
  ['breakwater roll', 'breakwater rollout'],
  ['breakwater rollout pau', 'breakwater rollout pause'],
  ['breakwater rollout list --unf', 'breakwater rollout list --unfinished'],
  ['breakwater rollout list -o js', 'breakwater rollout list -o json'],
  ['breakwater rollout pause r --mode fr', 'breakwater rollout pause r --mode freeze'],
] as const;

const lastWord = (text: string): string => text.split(' ').at(-1) ?? '';

describe('Completion', () => {
  let program: CliProgram;
  let directory: string;
  beforeAll(async () => {
    program = await bundleCli();
    directory = mkdtempSync(join(tmpdir(), 'breakwater-completion-'));
  });
  afterAll(() => {
    program.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  const scriptOf = async (shell: string): Promise<string> => {
    const { status, out } = await program.run(['completion', shell]);
    expect(status).toBe(0);
    const path = join(directory, `breakwater.${shell}`);
    writeFileSync(path, out);
    return path;
  };
  const env = { PATH: process.env['PATH'], HOME: tmpdir(), TERM: 'dumb', LC_ALL: 'C' };

  where('bash')('works in bash', async () => {
    const source = `source ${await scriptOf('bash')}
try() { COMP_WORDS=($1); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); COMPREPLY=(); _breakwater; echo "\${COMPREPLY[*]}"; }
${TYPED.map(([typed]) => `try '${typed}'`).join('\n')}`;
    const out = execFileSync('bash', ['--norc', '-c', source], { encoding: 'utf8', env });
    expect(out.trim().split('\n')).toEqual(TYPED.map(([, full]) => lastWord(full)));
  });

  where('zsh')('works in zsh', async () => {
    // In a terminal of its own: the completion system runs only inside the line editor.
    const source = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= PS2=; unsetopt prompt_cr prompt_sp; autoload -Uz compinit; compinit -u -D; source ${await scriptOf('zsh')}"
zpty -w z "show() { print -r -- '<'\\$BUFFER'>'; BUFFER= }; zle -N show; bindkey '^T' show; zle-line-init() { print -n 'IN''PUT' }; zle -N zle-line-init"
zpty -r z out '*INPUT'
for typed in ${TYPED.map(([typed]) => `'${typed}'`).join(' ')}; do
  zpty -w -n z "$typed"$'\\t\\C-t'
  zpty -r z out '*<*>*'
  print -r -- "$out"
done
zpty -d z`;
    const out = execFileSync('zsh', ['-f', '-c', source], { encoding: 'utf8', env, timeout: 30_000 });
    expect([...out.matchAll(/<(.*?) ?>/g)].map(([, buffer]) => buffer)).toEqual(TYPED.map(([, full]) => full));
  });

  where('fish')('works in fish', async () => {
    const source = `source ${await scriptOf('fish')}
${TYPED.map(([typed]) => `complete -C '${typed}'`).join('\n')}`;
    const out = execFileSync('fish', ['--no-config', '-c', source], { encoding: 'utf8', env });
    const offered = out.trim().split('\n');
    expect(offered.map((line) => line.split('\t')[0])).toEqual(TYPED.map(([, full]) => lastWord(full)));
  });
});
