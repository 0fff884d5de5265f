import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Registry } from 'prom-client';
import { routes } from '@breakwater/platform';
import { ApiModule, controllers } from './api.module.ts';
import type { ApiModuleOptions } from './api.module.ts';
import { EventStreams } from './events/event-streams.ts';
import type { AnswersToGates } from './gates/gate-answers.controller.ts';
import type { RepositoryHooks } from './hooks/hooks.controller.ts';
import { METADATA_ROUTE } from './http/api-request.ts';
import type { RouteMetadata } from './http/api-request.ts';
import { ApiServer } from './http/api-server.ts';
import { requestContext } from './http/request-context.ts';
import { registerApiMetrics } from './operations/api-metrics.ts';

export type ApiOptions = Omit<ApiModuleOptions, 'metrics' | 'hooks' | 'gateAnswers' | 'streams'> & {
  readonly metrics?: Registry;
  /** Without it, no repository has a webhook. */
  readonly hooks?: RepositoryHooks;
  /** Without it, no token of a gate is known. */
  readonly gateAnswers?: AnswersToGates;
};

const NO_HOOKS: RepositoryHooks = { secret: async () => null, onRepositoryHook: async () => undefined };

const NO_GATES: AnswersToGates = {
  tokens: { read: () => null },
  answer: async () => null,
  refused: async () => undefined,
};

/** Every route of the table has exactly one handler: a forgotten one stops the start, not a user. */
const assertEveryRouteIsHandled = (): void => {
  const handled = controllers.flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype).flatMap((key) => {
      const handler = (prototype as unknown as Record<string, object>)[key];
      const metadata =
        handler === undefined ? undefined : (Reflect.getMetadata(METADATA_ROUTE, handler) as RouteMetadata | undefined);
      return metadata === undefined ? [] : [metadata.name];
    }),
  );
  const wrong = Object.keys(routes).filter((name) => handled.filter((one) => one === name).length !== 1);
  if (wrong.length > 0) throw new Error(`routes without exactly one handler: ${wrong.join(', ')}`);
};

export interface Api {
  /** Resolves to the port in use. */
  listen(port: number, host: string): Promise<number>;
  /** Ends streams of events, lets answers in progress finish, then stops. */
  close(): Promise<void>;
}

export const createApi = async (options: ApiOptions): Promise<Api> => {
  assertEveryRouteIsHandled();
  const metrics = options.metrics ?? new Registry();
  const streams = new EventStreams(options.record);
  const module = ApiModule.with({
    ...options,
    metrics,
    streams,
    hooks: options.hooks ?? NO_HOOKS,
    gateAnswers: options.gateAnswers ?? NO_GATES,
  });
  const app = await NestFactory.create<NestExpressApplication>(module, {
    bodyParser: false,
    logger: false,
    abortOnError: false,
  });
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use(
    requestContext(
      options.log,
      registerApiMetrics(metrics, options.record, () => streams.open),
    ),
  );
  await app.init();
  const server = new ApiServer(app.getHttpAdapter().getInstance());
  return {
    listen: (port, host) => server.listen(port, host),
    close: async () => {
      await streams.close();
      await server.close();
      await app.close();
    },
  };
};
