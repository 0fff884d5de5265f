import { randomUUID } from 'node:crypto';
import type { Log } from '@breakwater/platform';
import type { NextFunction, Request, Response } from 'express';
import type { HttpMetrics } from '../operations/api-metrics.ts';
import type { ApiRequest } from './api-request.ts';

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** First in the chain: security headers, an id for the request, and its line in the log and the metrics once it has ended. */
export const requestContext =
  (log: Log, metrics: HttpMetrics) =>
  (request: Request, response: Response, next: NextFunction): void => {
    const began = performance.now();
    const state = {
      requestId: randomUUID(),
      route: 'unmatched',
      principal: null,
      rawBody: null,
      input: { params: {}, query: {}, body: {} },
    };
    (request as ApiRequest).breakwater = state;
    for (const [header, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(header, value);
    response.setHeader('x-request-id', state.requestId);
    response.once('close', () => {
      const { principal } = (request as ApiRequest).breakwater;
      const ms = performance.now() - began;
      // A stream lasts as long as its reader: it says nothing of how fast the API answers.
      if (response.getHeader('content-type')?.toString().startsWith('text/event-stream') !== true)
        metrics.observe(request.method, state.route, response.statusCode, ms / 1000);
      const fields = {
        requestId: state.requestId,
        method: request.method,
        route: state.route,
        status: response.statusCode,
        ms: Math.round(ms),
        ...(principal === null ? {} : { by: (principal as { name: string }).name }),
      };
      if (request.method === 'GET') log.debug(fields, 'request');
      else log.info(fields, 'request');
    });
    next();
  };
