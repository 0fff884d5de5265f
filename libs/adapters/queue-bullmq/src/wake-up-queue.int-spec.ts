import { describeWakeUpConformance, findRedisServer, type RedisServer, startRedis } from '@breakwater/testing';
import { Redis } from 'ioredis';
import { createWakeUpQueue } from './wake-up-queue.ts';

const redisServer = findRedisServer();
if (redisServer === null) {
  const reason = 'wake-ups on Redis need redis-server on the PATH (apt-get install redis-server)';
  if (process.env['REQUIRE_KUBE'] === '1') it('wake-ups on Redis', () => expect(reason).toBe('present'));
  else console.warn(`skipped: ${reason}`);
} else {
  describe('with a Redis server', () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await startRedis(redisServer);
    }, 30_000);
    afterAll(() => server.stop(), 30_000);

    const wipe = async (): Promise<void> => {
      const client = new Redis(server.url);
      await client.flushall();
      client.disconnect();
    };
    describeWakeUpConformance('on Redis', async () => {
      await wipe();
      const queue = await createWakeUpQueue({ redisUrl: server.url });
      return {
        queue,
        another: () => createWakeUpQueue({ redisUrl: server.url }),
        wipe,
        restart: () => server.restart(),
        stop: () => queue.close(),
      };
    });
  });
}
