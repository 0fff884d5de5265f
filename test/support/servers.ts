import { findPostgresServer, findRedisServer, freePort, startPostgres, startRedis } from '@breakwater/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { GenericContainer, getContainerRuntimeClient, getReaper, ImageName, Wait } from 'testcontainers';
import { ComposeFile } from './compose-file.ts';

/** Redis and PostgreSQL of one test, started. */
export interface Servers {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** In order, and at the same address afterwards. */
  restartPostgres(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerSource {
  /** What they are, for whoever reads the test's output. */
  readonly described: string;
  start(): Promise<Servers>;
}

const PULLING_MS = 180_000;

/**
 * Containers of the images that docker-compose.yml names, where a Docker engine answers and the images can be had; else this machine's own
 * redis-server and PostgreSQL. Null where there is neither.
 */
export const findServers = async (): Promise<ServerSource | null> => {
  const images = await containerImages();
  if ('redis' in images) {
    return {
      described: `containers of ${images.redis} and ${images.postgres}, by Testcontainers`,
      start: () => startContainers(images),
    };
  }
  const redisServer = findRedisServer();
  const postgresServer = await findPostgresServer();
  if (redisServer === null || postgresServer === null) return null;
  return {
    described: `${redisServer} and ${postgresServer}/postgres, without containers: ${images.refused}`,
    start: () => startPrograms(redisServer, postgresServer),
  };
};

interface Images {
  readonly redis: string;
  readonly postgres: string;
}

/** Only what makes containers impossible is a reason to do without; a container that does not start is a failure. */
const containerImages = async (): Promise<Images | { readonly refused: string }> => {
  const client = await getContainerRuntimeClient().catch(() => null);
  if (client === null) return { refused: 'no Docker engine answers' };
  const compose = await ComposeFile.read({ FLEET_REPOSITORY: 'none', CREDENTIALS: 'none' });
  const images = { redis: compose.service('redis').image, postgres: compose.service('postgres').image };
  const giveUp = new AbortController();
  const tooLate = delay(PULLING_MS, undefined, { signal: giveUp.signal }).then(() => {
    throw new Error(`not there after ${PULLING_MS / 1_000} s`);
  });
  try {
    for (const image of Object.values(images)) {
      await Promise.race([client.image.pull(ImageName.fromString(image)), tooLate]);
      // A refused pull may end like a good one.
      if (!(await client.image.exists(ImageName.fromString(image)))) throw new Error(`${image} cannot be had`);
    }
    // The container that removes the others, also after a kill: an image of its own, unless Testcontainers is told to do without.
    await Promise.race([getReaper(client), tooLate]);
    return images;
  } catch (error) {
    return { refused: `a Docker engine answers, but ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    tooLate.catch(() => undefined);
    giveUp.abort();
  }
};

const startContainers = async (images: Images): Promise<Servers> => {
  const compose = await ComposeFile.read({ FLEET_REPOSITORY: 'none', CREDENTIALS: 'none' });
  const password = compose.service('postgres').environment?.['POSTGRES_PASSWORD'] ?? '';
  // A port of ours: the engine gives another one after a restart.
  const port = await freePort();
  const [redis, postgres] = await Promise.all([
    new GenericContainer(images.redis)
      .withCommand([...(compose.service('redis').command ?? [])])
      .withExposedPorts(6379)
      .withWaitStrategy(Wait.forSuccessfulCommand('redis-cli ping'))
      .start(),
    new GenericContainer(images.postgres)
      .withEnvironment({ ...compose.service('postgres').environment })
      .withExposedPorts({ container: 5432, host: port })
      .withWaitStrategy(Wait.forSuccessfulCommand('pg_isready --host=127.0.0.1'))
      .withStartupTimeout(120_000)
      .start(),
  ]);
  return {
    redisUrl: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}/0`,
    databaseUrl: `postgres://breakwater:${password}@${postgres.getHost()}:${port}/breakwater`,
    restartPostgres: () => postgres.restart({ timeout: 30_000 }),
    stop: async () => {
      await Promise.all([redis, postgres].map((container) => container.stop({ removeVolumes: true })));
    },
  };
};

const startPrograms = async (redisServer: string, postgresServer: string): Promise<Servers> => {
  const [redis, postgres] = await Promise.all([startRedis(redisServer), startPostgres(postgresServer)]);
  return {
    redisUrl: redis.url,
    databaseUrl: postgres.url,
    restartPostgres: () => postgres.restart(),
    stop: async () => {
      await postgres.stop();
      await redis.stop();
    },
  };
};
