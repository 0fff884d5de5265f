import { z } from 'zod';
import { ConfigurationError, loadConfiguration, settings } from './configuration.ts';

const problemsOf = (environment: Record<string, string>, schema: z.ZodObject = settings) => {
  try {
    loadConfiguration(schema, environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
};

it('fills in defaults, reads durations and numbers, and freezes what it returns', () => {
  const configuration = loadConfiguration(settings, { BREAKWATER_PORT: '9090', BREAKWATER_POLL: '2m', PATH: '/bin' });
  expect(configuration).toMatchObject({
    BREAKWATER_HOST: '127.0.0.1',
    BREAKWATER_PORT: 9090,
    BREAKWATER_POLL: 120_000,
    BREAKWATER_ALLOW_KUBECONFIG_FILES: false,
  });
  expect(configuration).not.toHaveProperty('PATH');
  expect(Object.isFrozen(configuration)).toBe(true);
});

it('lists every bad key at once, and no value', () => {
  const environment = {
    BREAKWATER_PORT: 'hunter2',
    BREAKWATER_POLL: 'hunter2',
    BREAKWATER_LOG_LEVEL: 'hunter2',
    BREAKWATER_ALLOW_KUBECONFIG_FILES: 'hunter2',
    DATABASE_URL: 'hunter2',
    REDIS_URL: 'https://hunter2',
    BREAKWATER_PROT: 'hunter2',
  };
  const problems = problemsOf(environment);
  expect(problems.map(({ key }) => key).sort()).toEqual(Object.keys(environment).sort());
  expect(JSON.stringify(problems)).not.toContain('hunter2');
  expect(problems.find(({ key }) => key === 'BREAKWATER_PROT')?.message).toBe(
    'is not a setting; did you mean BREAKWATER_PORT?',
  );
});

it.each(['0', '65535'])('takes port %s', (port) => expect(problemsOf({ BREAKWATER_PORT: port })).toEqual([]));
it.each(['-1', '65536', '80.5', '0x50', ' 80'])('refuses port "%s"', (port) =>
  expect(problemsOf({ BREAKWATER_PORT: port })).toHaveLength(1),
);

it('has the limits of repositories and documents', () => {
  expect(loadConfiguration(settings, { BREAKWATER_LIMIT_ALIASES: '0' })).toMatchObject({
    BREAKWATER_LIMIT_FILES: 10_000,
    BREAKWATER_LIMIT_REPOSITORY_BYTES: 268_435_456,
    BREAKWATER_LIMIT_DOCUMENT_BYTES: 1_048_576,
    BREAKWATER_LIMIT_SOURCE_BYTES: 20_971_520,
    BREAKWATER_LIMIT_OBJECT_BYTES: 1_572_864,
    BREAKWATER_LIMIT_ALIASES: 0,
    BREAKWATER_LIMIT_DEPTH: 100,
  });
  expect(problemsOf({ BREAKWATER_LIMIT_FILES: '0', BREAKWATER_LIMIT_DEPTH: '501' })).toHaveLength(2);
});

it('says that a key is required when it is absent or empty', () => {
  const schema = z.object({ BREAKWATER_DATA: z.string() });
  for (const environment of [{}, { BREAKWATER_DATA: '' }])
    expect(problemsOf(environment, schema)).toEqual([{ key: 'BREAKWATER_DATA', message: 'is required' }]);
});

it('takes only the keys of the schema that it is given', () => {
  const schema = settings.pick({ BREAKWATER_PORT: true });
  expect(loadConfiguration(schema, { BREAKWATER_POLL: 'not read here' })).toEqual({ BREAKWATER_PORT: 8080 });
});

it.each([
  'https://breakwater.example.com',
  'https://example.com/breakwater/',
  'http://127.0.0.1:8080',
  'http://[::1]:80',
])('takes the public address %s', (url) => expect(problemsOf({ BREAKWATER_PUBLIC_URL: url })).toEqual([]));
it.each([
  'http://breakwater.example.com',
  'http://127.0.0.1.example.com',
  'https://user:hunter2@example.com',
  'https://example.com/?a=b',
  'breakwater.example.com',
])('refuses the public address %s', (url) => {
  const problems = problemsOf({ BREAKWATER_PUBLIC_URL: url });
  expect(problems).toMatchObject([{ key: 'BREAKWATER_PUBLIC_URL', message: expect.stringContaining('https://') }]);
  expect(JSON.stringify(problems)).not.toContain('hunter2');
});
