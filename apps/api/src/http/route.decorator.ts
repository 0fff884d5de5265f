import { applyDecorators, createParamDecorator, Get, Post, SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { API_PREFIX, routes } from '@breakwater/platform';
import type { RouteAnswer, RouteDefinition, RouteInput, RouteName, Routes } from '@breakwater/platform';
import { METADATA_OPEN, METADATA_ROUTE } from './api-request.ts';
import type { ApiRequest, Principal } from './api-request.ts';

/** What the handler of a route is given by {@link Input}. */
export type InputOf<N extends RouteName> = RouteInput<Routes[N]>;
/** What it returns: one of the route's statuses with the body that belongs to it. */
export type AnswerOf<N extends RouteName> = RouteAnswer<Routes[N]> | AlternativeOf<Routes[N]>;
type AlternativeOf<R> = R extends { readonly alternative: infer T extends string }
  ? {
      readonly status: 200;
      readonly body: string;
      readonly headers: { readonly 'content-type': `${T}; charset=utf-8` };
    }
  : never;

type Handler<N extends RouteName> = (...args: never[]) => Promise<AnswerOf<N> | void>;

/** Makes a method the handler of a route of the table; the compiler checks what it returns. */
export const Route = <N extends RouteName>(routeName: N) => {
  const definition: RouteDefinition = routes[routeName];
  const path = `${API_PREFIX}${definition.path}`.replaceAll(/\{(\w+)\}/g, ':$1');
  const mapping = definition.method === 'GET' ? Get(path) : Post(path);
  const decorate = applyDecorators(mapping, SetMetadata(METADATA_ROUTE, { name: routeName, definition }));
  return <F extends Handler<N>>(target: object, key: string, descriptor: TypedPropertyDescriptor<F>): void => {
    decorate(target, key, descriptor);
  };
};

/** A route outside the table that needs no sign-in: health, readiness, metrics, the OpenAPI document. */
export const OpenRoute = (path: string) => applyDecorators(Get(path), SetMetadata(METADATA_OPEN, path));

/** Parameters, query and body, as the route's schemas have parsed them. */
export const Input = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<ApiRequest>().breakwater.input,
);

/** Who asks; only on routes with a role. */
export const By = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<ApiRequest>().breakwater;
  if (principal === null) throw new Error('the route has no role');
  return principal;
});
