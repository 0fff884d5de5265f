import { Catch, Inject } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { problemDetails } from '@breakwater/platform';
import type { Log } from '@breakwater/platform';
import type { Response } from 'express';
import { LOG } from '../tokens.ts';
import type { ApiRequest } from './api-request.ts';
import { problemOf } from './error-problem.ts';

/** The one place where errors become answers, and where an unforeseen one is logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log: Log;

  constructor(@Inject(LOG) log: Log) {
    this.log = log;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<ApiRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const problem = problemOf(error, request);
    if (problem.status >= 500)
      this.log.error(
        { err: problem.cause ?? error, requestId: request.breakwater.requestId, code: problem.code },
        'request failed',
      );
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [header, value] of Object.entries(problem.headers)) response.setHeader(header, value);
    response
      .status(problem.status)
      .type('application/problem+json')
      .send(JSON.stringify({ ...problemDetails(problem), instance: `urn:uuid:${request.breakwater.requestId}` }));
  }
}
