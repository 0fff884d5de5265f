import { Inject, Injectable } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { METADATA_ROUTE } from './api-request.ts';
import type { ApiRequest, RouteMetadata } from './api-request.ts';
import { parseJsonBody, readBody } from './body-reader.ts';
import { parseRequest } from './request-parser.ts';

const BODY_LIMIT = 64 * 1024;
/** Git servers name the files of every commit in a push. */
const HOOK_BODY_LIMIT = 4 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Parses what comes in and sends what goes out as the route's definition says. Runs after the guard: strangers' bodies are not read. */
@Injectable()
export class RouteInterceptor implements NestInterceptor {
  private readonly reflector: Reflector;

  constructor(@Inject(Reflector) reflector: Reflector) {
    this.reflector = reflector;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const metadata = this.reflector.get<RouteMetadata | undefined>(METADATA_ROUTE, context.getHandler());
    if (metadata === undefined) return next.handle();
    const { definition } = metadata;
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const response = context.switchToHttp().getResponse<Response>();
    const bytes =
      definition.method === 'GET'
        ? Buffer.alloc(0)
        : await readBody(request, definition.rawBody === true ? HOOK_BODY_LIMIT : BODY_LIMIT);
    request.breakwater.rawBody = bytes;
    request.breakwater.input = parseRequest(definition, {
      params: request.params,
      query: request.query,
      body: definition.rawBody === true ? {} : parseJsonBody(request, bytes),
    });
    return next.handle().pipe(
      map((answer: Answer | undefined) => {
        if (answer === undefined) return undefined;
        response.status(answer.status);
        for (const [header, value] of Object.entries(answer.headers ?? {})) response.setHeader(header, value);
        return answer.body;
      }),
    );
  }
}
