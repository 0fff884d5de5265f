import type { Role } from '@breakwater/application';
import type { RouteDefinition } from '@breakwater/platform';
import type { Request } from 'express';

/** Who asks: the name of a token, and what it may do. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
}

/** What the guard and the interceptor leave for the handler. */
export interface ApiState {
  readonly requestId: string;
  route: string;
  principal: Principal | null;
  rawBody: Buffer | null;
  input: { readonly params: object; readonly query: object; readonly body: object };
}

export type ApiRequest = Request & { breakwater: ApiState };

export const METADATA_ROUTE = 'breakwater:route';
export const METADATA_OPEN = 'breakwater:open';

export interface RouteMetadata {
  readonly name: string;
  readonly definition: RouteDefinition;
}
