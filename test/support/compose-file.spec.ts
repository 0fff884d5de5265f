import { ComposeFile } from './compose-file.ts';

const PROGRAMS = ['api', 'git-sync', 'rollout-worker-1', 'rollout-worker-2'];

describe('docker-compose.yml', () => {
  it('gives each program settings that exist, with values that they accept', async () => {
    const compose = await ComposeFile.read({
      FLEET_REPOSITORY: 'https://git.example/fleet.git',
      CREDENTIALS: './keys',
    });
    for (const program of PROGRAMS) {
      expect(compose.environment(program)).toMatchObject({
        DATABASE_URL: 'postgres://breakwater:breakwater@postgres:5432/breakwater',
        REDIS_URL: 'redis://redis:6379/0',
        BREAKWATER_ENCRYPTION_KEY_FILE: '/secrets/key',
      });
    }
    expect(compose.environment('git-sync')).toMatchObject({
      BREAKWATER_REPOSITORY: 'https://git.example/fleet.git',
      BREAKWATER_REF: 'main',
      BREAKWATER_POLL: '30s',
    });
  });

  it('takes what a user sets, and says what is missing', async () => {
    const variables = { FLEET_REPOSITORY: 'a', CREDENTIALS: 'b', POLL: '5s', POSTGRES_PASSWORD: 'known' };
    const compose = await ComposeFile.read(variables);
    expect(compose.environment('git-sync')).toMatchObject({ BREAKWATER_POLL: '5s' });
    expect(compose.environment('api')['DATABASE_URL']).toBe('postgres://breakwater:known@postgres:5432/breakwater');
    await expect(ComposeFile.read({ CREDENTIALS: 'b' })).rejects.toThrow('FLEET_REPOSITORY: the address');
    const wrong = await ComposeFile.read({ ...variables, POLL: 'often' });
    expect(() => wrong.environment('git-sync')).toThrow('BREAKWATER_POLL: must be a duration');
  });

  it('lets every program run without root, capabilities and a root file system to write to', async () => {
    const compose = await ComposeFile.read({ FLEET_REPOSITORY: 'a', CREDENTIALS: 'b' });
    for (const program of PROGRAMS) {
      const service = compose.service(program);
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        command: [program.replace(/-\d$/, '')],
      });
      // The image's own, which is not root.
      expect(service).not.toHaveProperty('user');
    }
  });
});
