import { createLog, scrub } from './log.ts';

const logged = (write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] => {
  const lines: string[] = [];
  write(createLog({ app: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } }));
  return lines.map((line) => {
    expect(line.trimEnd()).not.toContain('\n');
    return JSON.parse(line) as Record<string, unknown>;
  });
};

it('writes one JSON line with a constant message, ids as fields, and the time in ISO 8601', () => {
  const [line] = logged((log) => log.info({ rollout: 'r1' }, 'rollout started'));
  expect(line).toMatchObject({ level: 'info', app: 'test', rollout: 'r1', message: 'rollout started' });
  expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

it('writes nothing below its level', () => {
  expect(logged((log) => log.debug('hidden'))).toEqual([]);
});

it('takes secrets out by the names of fields, two levels deep', () => {
  const secret = 'hunter2';
  const lines = logged((log) =>
    log.warn(
      {
        token: secret,
        request: { authorization: secret, headers: { cookie: secret } },
        kubeconfig: secret,
        store: { password: secret },
      },
      'refused',
    ),
  );
  expect(JSON.stringify(lines)).not.toContain(secret);
});

it('takes credentials out of the text of errors and their causes', () => {
  const cause = new Error('Authorization: Bearer abcdefghijklmnop');
  const error = new Error('cannot reach https://robot:hunter2@git.example/x.git', { cause });
  const [line] = logged((log) => log.error({ err: error }, 'sync failed'));
  expect(JSON.stringify(line)).not.toMatch(/hunter2|abcdefghijklmnop/);
  expect(line?.['err']).toMatchObject({ type: 'Error', message: 'cannot reach https://[redacted]@git.example/x.git' });
});

it.each([
  ['postgres://user:p%40ss@db:5432/x', 'postgres://[redacted]@db:5432/x'],
  ['bearer bw_0123456789012345678901234567890123456789012', 'bearer [redacted]'],
  ['token bw_0123456789012345678901234567890123456789012 refused', 'token [redacted] refused'],
  ['token bwg_WzEsInIxIiwwXQ.0123456789012345678901234567890123456789012 refused', 'token [redacted] refused'],
  ['https://git.example/x.git', 'https://git.example/x.git'],
  ['a basic explanation', 'a basic explanation'],
])('scrubs "%s"', (text, scrubbed) => expect(scrub(text)).toBe(scrubbed));
