import { findRedisServer, startRedis } from '@breakwater/testing';
import { createWakeUpQueue } from './wake-up-queue.ts';

const redisServer = findRedisServer();
// The conformance suite beside this one says why it is skipped, and fails where that is not allowed.
(redisServer === null ? it.skip : it)(
  'while Redis is away, sending does not throw, a ping does, and closing ends',
  async () => {
    const server = await startRedis(redisServer ?? '');
    const queue = await createWakeUpQueue({ redisUrl: server.url });
    await queue.work(async () => undefined, 2);
    await queue.wake('before');
    await queue.ping();
    await server.stop();
    await queue.wake('meanwhile');
    await expect(queue.ping()).rejects.toThrow();
    await queue.close();
  },
  30_000,
);
