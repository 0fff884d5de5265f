import type { z } from 'zod';

export type WireRole = 'viewer' | 'operator' | 'admin';

/**
 * One route of the API, as data: it validates requests, types handlers and clients, and is what the OpenAPI document and
 * the reference are made from. Every object schema is strict, so that an unknown field is refused.
 */
export interface RouteDefinition {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1`, parameters as `{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Null: no sign-in (a webhook has its own signature). */
  readonly role: WireRole | null;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** `never`: the body is not JSON of a known shape (webhooks). */
  readonly rawBody?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** By status; `null`: not JSON, see `contentType`. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>;
  readonly contentType?: string;
  /** What it answers instead of JSON to those who accept it rather. */
  readonly alternative?: string;
  /** Codes of problems beyond those that every route may answer. */
  readonly problems?: readonly string[];
}

export const route = <const R extends RouteDefinition>(definition: R): R => definition;

type Parsed<T> = T extends z.ZodType ? z.output<T> : Record<string, never>;
/** What a handler gets. */
export interface RouteInput<R extends RouteDefinition> {
  readonly params: Parsed<R['params']>;
  readonly query: Parsed<R['query']>;
  readonly body: Parsed<R['body']>;
}
type BodyOf<T> = T extends z.ZodType ? z.output<T> : null;
/** What a handler may return: the status decides the shape. */
export type RouteAnswer<R extends RouteDefinition> = {
  [S in keyof R['responses']]: {
    readonly status: S;
    readonly body: BodyOf<R['responses'][S]>;
    readonly headers?: Readonly<Record<string, string>>;
  };
}[keyof R['responses']];
