import type { RecordPort, Role } from '@breakwater/application';
import { Problem } from '@breakwater/platform';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { METADATA_OPEN, METADATA_ROUTE } from '../http/api-request.ts';
import type { ApiRequest, Principal, RouteMetadata } from '../http/api-request.ts';
import { RECORD } from '../tokens.ts';
import { bearerOf, hashToken } from './bearer-token.ts';
import { FailedSignIns } from './failed-sign-ins.ts';

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

export const tooManyFailures = (seconds: number): Problem =>
  new Problem(429, 'TooManyFailedSignIns', 'too many failed sign-ins from this address', {
    headers: { 'retry-after': String(seconds) },
  });

/** Signs in by bearer token and compares roles. A handler that is neither in the table nor marked open is closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly record: RecordPort;
  private readonly reflector: Reflector;
  private readonly failures: FailedSignIns;

  constructor(
    @Inject(RECORD) record: RecordPort,
    @Inject(Reflector) reflector: Reflector,
    @Inject(FailedSignIns) failures: FailedSignIns,
  ) {
    this.record = record;
    this.reflector = reflector;
    this.failures = failures;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const open = this.reflector.get<string | undefined>(METADATA_OPEN, context.getHandler());
    const metadata = this.reflector.get<RouteMetadata | undefined>(METADATA_ROUTE, context.getHandler());
    request.breakwater.route = metadata?.definition.path ?? open ?? 'unknown';
    if (open !== undefined) return true;
    if (metadata === undefined) throw new Problem(403, 'Forbidden', 'this address is closed');
    const { role } = metadata.definition;
    if (role === null) return true;
    const principal = await this.signIn(request);
    if (RANK[principal.role] < RANK[role])
      throw new Problem(403, 'Forbidden', `this needs the role ${role}; ${principal.name} is ${principal.role}`, {
        remedy: `Ask an administrator for a token: breakwater token create NAME --role ${role}`,
        members: { needs: role, has: principal.role },
      });
    request.breakwater.principal = principal;
    return true;
  }

  private async signIn(request: ApiRequest): Promise<Principal> {
    const token = bearerOf(request.headers.authorization);
    const principal = token === null ? null : await this.record.access.findToken(hashToken(token));
    if (principal !== null) return principal;
    const wait = this.failures.failed(request.socket.remoteAddress ?? '');
    if (wait !== null) throw tooManyFailures(wait);
    const given = request.headers.authorization !== undefined;
    throw new Problem(401, 'Unauthorized', given ? 'the token is not known here' : 'a bearer token is needed', {
      remedy:
        'Set BREAKWATER_TOKEN to a token of this Breakwater; standalone writes its first one to <data>/admin.token.',
      headers: {
        'www-authenticate': given ? 'Bearer realm="breakwater", error="invalid_token"' : 'Bearer realm="breakwater"',
      },
    });
  }
}
