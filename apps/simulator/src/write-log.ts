import type { ApiRequest } from './api/api-request.ts';
import { parseTarget } from './api/request-info.ts';
import { verbOf } from './api/api-server.ts';

/** One mutating request, as an audit log would have it. */
export interface WriteRecord {
  /** Epoch milliseconds at which the request had been received. */
  readonly receivedAt: number;
  /** Epoch milliseconds of the answer; undefined while there is none. */
  readonly answeredAt: number | undefined;
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  /** From the path, or of the object that was created. */
  readonly name: string | undefined;
  readonly dryRun: boolean;
  readonly fieldManager: string | undefined;
  readonly userAgent: string;
  /** HTTP status; undefined while there is none, or when the connection was closed without one. */
  readonly status: number | undefined;
  /** Whether the cluster's objects changed. */
  readonly changed: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const capacity = 20_000;

export class WriteLog {
  #records: Mutable<WriteRecord>[] = [];

  receive(request: ApiRequest): Mutable<WriteRecord> {
    const target = parseTarget(request.path);
    const resource = target.kind === 'resource' ? target : undefined;
    const record = {
      receivedAt: Date.now(),
      answeredAt: undefined,
      verb: resource ? verbOf(resource, request) : request.method.toLowerCase(),
      path: request.path,
      group: resource?.group ?? '',
      resource: resource?.plural ?? '',
      subresource: resource?.subresource,
      namespace: resource?.namespace,
      name: resource?.name,
      dryRun: request.query.get('dryRun') === 'All',
      fieldManager: request.query.get('fieldManager') ?? undefined,
      userAgent: request.userAgent,
      status: undefined,
      changed: false,
    };
    this.#records.push(record);
    if (this.#records.length > capacity) this.#records = this.#records.slice(capacity / 2);
    return record;
  }

  all(): readonly WriteRecord[] {
    return [...this.#records];
  }

  clear(): void {
    this.#records = [];
  }
}
