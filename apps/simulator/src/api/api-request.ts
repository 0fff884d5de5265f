import type { JsonObject } from '../object.ts';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** A request to one cluster, with its path below the cluster's own prefix. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly accept: string;
  readonly userAgent: string;
  readonly authorization: string;
  readonly body: Buffer;
}

export interface ApiAnswer {
  readonly code: number;
  /** JSON, or plain text where it is a string. */
  readonly body: JsonObject | string;
  readonly warnings?: readonly string[];
  readonly contentType?: string;
}

/** A watch: the caller is given frames until it says that it has gone. */
export interface WatchAnswer {
  readonly watch: (send: (frame: string) => void, end: () => void) => () => void;
}

export function isWatch(answer: ApiAnswer | WatchAnswer): answer is WatchAnswer {
  return 'watch' in answer;
}
