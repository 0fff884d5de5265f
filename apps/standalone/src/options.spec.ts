import { ConfigurationError, UsageError } from '@breakwater/platform';
import { readOptions } from './options.ts';

const from = { INIT_CWD: '/home/somebody' };

describe('the options of standalone', () => {
  it('need a repository, and say so', () => {
    expect(() => readOptions([], from)).toThrow(UsageError);
    expect(() => readOptions([], from)).toThrow(/--repo is missing/);
  });

  it('take paths from where npm was called, and addresses as they are', () => {
    const repository = (repo: string) => readOptions(['--repo', repo], from)?.repository;
    expect(repository('./fleet')).toBe('/home/somebody/fleet');
    expect(repository('fleet')).toBe('/home/somebody/fleet');
    expect(repository('/srv/fleet')).toBe('/srv/fleet');
    for (const address of [
      'https://git.example/fleet.git',
      'ssh://git@git.example/fleet',
      'git@git.example:fleet',
      'file:///srv/fleet',
    ]) {
      expect(repository(address)).toBe(address);
    }
  });

  it.each(['credentials', 'gate-secrets'])('name a directory that is there as --%s', (flag) => {
    const given = (path: string) => readOptions(['--repo', '/a', `--${flag}`, path], { INIT_CWD: import.meta.dirname });
    expect(JSON.stringify(given('demo'))).toContain(`"${import.meta.dirname}/demo"`);
    for (const wrong of ['nowhere', 'options.spec.ts', 'options.spec.ts/nowhere'])
      expect(() => given(wrong)).toThrow(
        new UsageError(
          `--${flag}: there is no directory ${import.meta.dirname}/${wrong}: make it, or name another one`,
        ),
      );
  });

  it('win over the environment', () => {
    const options = readOptions(['--repo', '/a', '--port', '9', '--poll', '5m'], {
      ...from,
      BREAKWATER_PORT: '8',
      BREAKWATER_REF: 'stable',
    });
    expect(options?.config).toMatchObject({ BREAKWATER_PORT: 9, BREAKWATER_POLL: 300_000, BREAKWATER_REF: 'stable' });
  });

  it('that are unknown or wrong are refused, without their values', () => {
    expect(() => readOptions(['--repo', '/a', '--prot', '9'], from)).toThrow(UsageError);
    expect(() => readOptions(['--repo', '/a', '--poll', 'sometimes'], from)).toThrow(ConfigurationError);
    expect(() => readOptions(['--repo', '/a'], { ...from, DATABASE_URL: 'mysql://me:secret@x' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') as string }),
    );
  });

  it('give nothing to run when help is asked for', () => {
    expect(readOptions(['--help'], from)).toBeNull();
  });
});
